"""What does a training leave, so that it goes on after a kill as if nothing had happened?

A checkpoint is one file: a line that says what it is, and the state behind it. It is written beside the
others and renamed, so that a kill leaves the old one. What a full disk or a bad copy has cut or changed is
known by its hash, is named, and the one before it is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

import fsspec
import torch

from data_checks.errors import TrainingError
from wdgate import __version__

FORMAT = 2
EVERY = 30.0
"""Seconds between two checkpoints."""
MOST_TIME = 0.01
"""Share of the training time that checkpoints take at most: large ones are written less often."""
KEPT = 2
"""Checkpoints of a training that are kept: the newest, and the one before it should the newest be broken."""
DAYS = 14
"""Days after which the checkpoints of a training that nobody went on with are removed."""
SUFFIX = ".checkpoint"

# What is told from other files of the same folder: never is anything else removed.
_NAME = re.compile(r"/\d{6}\.checkpoint$")
_OURS = re.compile(r"/\d{6}\.checkpoint(\.\d+\.part)?$")
_KEY = re.compile(r"[0-9a-f]{32}")

Tell = Callable[[str], None]


class Checkpoints:
    """The checkpoints of one training, in a folder or at an fsspec address.

    Args:
        address: a folder, or an address that fsspec knows, such as `s3://bucket/checkpoints`.
        key: of everything that decides over the training: the same training finds them again.
        every: seconds between two.
        tell: told, in a sentence, of one that cannot be used or written.

    Raises:
        TrainingError: an address that cannot be used.
    """

    def __init__(
        self, address: str, key: str, *, every: float = EVERY, tell: Tell = lambda sentence: None
    ) -> None:
        self._files, root = open_address(address)
        self._folder = str(PurePosixPath(root) / key)
        self._address, self._key, self._every, self._tell = address, key, every, tell
        self._next = time.monotonic() + every
        self._failed = self._read_back = False

    def part(self, name: str) -> Checkpoints:
        """Those of one part of the training, which are removed with its own."""
        return Checkpoints(self._address, f"{self._key}/{name}", every=self._every, tell=self._tell)

    def due(self) -> bool:
        """Whether the next one is due; by a clock that nobody sets."""
        return time.monotonic() >= self._next

    def save(self, state: Callable[[], Mapping[str, Any]]) -> None:
        """Write the state beside the older ones; what cannot be written is told, and the training goes on."""
        started = time.monotonic()
        try:
            self._write(self._tried(_packed(state(), self._key)))
            self._failed = False
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or error
            self._tell_once(f"no checkpoint could be written to {self._folder}: {said}")
        now = time.monotonic()
        self._next = now + max(self._every, (now - started) / MOST_TIME)

    def load(self) -> dict[str, Any] | None:
        """The newest state that can be used; None where there is none."""
        for path in reversed(self._paths()):
            try:
                return _unpacked(self._files.cat_file(path), self._key)
            except (ValueError, OSError) as problem:
                self._tell(f"checkpoint {path} is not used: {problem}")
        return None

    def finish(self, state: Callable[[], Mapping[str, Any]]) -> None:
        """Leave the state that the training ended with, and no other."""
        self.save(state)
        if not self._failed:
            self._remove(self._paths()[:-1])

    def clear(self) -> None:
        """Remove all of them: what the training was for is kept elsewhere."""
        with suppress(FileNotFoundError):
            self._files.rm(self._folder, recursive=True)

    def _tried(self, packed: bytes) -> bytes:
        """The first one is read back at once, for what cannot be read is better known before a kill."""
        if not self._read_back:
            _unpacked(packed, self._key)
            self._read_back = True
        return packed

    def _write(self, packed: bytes) -> None:
        self._files.makedirs(self._folder, exist_ok=True)
        paths = self._paths()
        number = int(PurePosixPath(paths[-1]).stem) + 1 if paths else 1
        path = f"{self._folder}/{number:06d}{SUFFIX}"
        part = f"{path}.{os.getpid()}.part"  # of this process, whoever else writes here
        self._files.pipe_file(part, packed)
        self._files.mv(part, path)
        self._remove([*paths, path][:-KEPT])

    def _paths(self) -> list[str]:
        """Their paths, oldest first."""
        if not self._files.exists(self._folder):
            return []
        self._files.invalidate_cache(self._folder)
        with suppress(FileNotFoundError):
            return sorted(path for path in self._files.ls(self._folder, detail=False) if _NAME.search(path))
        return []

    def _remove(self, paths: list[str]) -> None:
        for path in paths:
            with suppress(FileNotFoundError):  # another process was here before
                self._files.rm_file(path)

    def _tell_once(self, sentence: str) -> None:
        if not self._failed:
            self._tell(f"{sentence}; the training goes on, and would begin anew if it were stopped")
        self._failed = True


def open_address(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path there.

    Raises:
        TrainingError: fsspec knows no such address, or its driver is not installed.
    """
    try:
        files, root = fsspec.core.url_to_fs(str(address))
    except (ImportError, ValueError, OSError) as error:
        raise TrainingError(
            f"checkpoints cannot be kept at {address}: {str(error).splitlines()[0]}"
        ) from error
    return files, root


def remove_old(address: str, now: float, days: float = DAYS) -> None:
    """Remove the checkpoints of trainings that nobody has gone on with for so many days, and nothing else."""
    files, root = open_address(address)
    with suppress(FileNotFoundError):  # nobody was here yet, or somebody removes them too
        for folder in files.ls(root, detail=False):
            if _KEY.fullmatch(PurePosixPath(folder).name):
                _remove_if_old(files, folder, now - days * 86400)


def _remove_if_old(files: Any, folder: str, limit: float) -> None:
    ours = [path for path in files.find(folder) if _OURS.search(path)]
    if ours and max(files.modified(path).timestamp() for path in ours) < limit:
        for path in ours:
            files.rm_file(path)
        if not files.find(folder):
            files.rm(folder, recursive=True)


def _packed(state: Mapping[str, Any], key: str) -> bytes:
    stream = io.BytesIO()
    try:
        torch.save(dict(state), stream)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(f"it would hold more than tensors and plain values: {error}") from error
    kept = stream.getbuffer()
    head = {**_versions(), "key": key, "bytes": len(kept), "sha256": hashlib.sha256(kept).hexdigest()}
    return b"".join([json.dumps(head).encode(), b"\n", kept])


def _unpacked(packed: bytes, key: str) -> dict[str, Any]:
    """The state.

    Raises:
        ValueError: what is wrong with it.
    """
    line, _, kept = packed.partition(b"\n")
    try:
        head = dict(json.loads(line))
    except (ValueError, TypeError):
        raise ValueError("it does not begin as a checkpoint does") from None
    for name, expected in {**_versions(), "key": key}.items():
        if head.get(name) != expected:
            raise ValueError(f"it was written with {name} {head.get(name)}, expected {name} {expected}")
    if len(kept) != head.get("bytes"):
        raise ValueError(f"it holds {len(kept):,} bytes, and {head.get('bytes')} were written")
    if hashlib.sha256(kept).hexdigest() != head.get("sha256"):
        raise ValueError("its bytes are not those that were written")
    try:
        # Nothing but tensors and plain values is read, so that no one else's file is run.
        state = torch.load(io.BytesIO(kept), weights_only=True, map_location="cpu")
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        raise ValueError(f"it holds more than tensors and plain values: {_first_line(error)}") from error
    if not isinstance(state, dict):
        raise ValueError(f"it holds {type(state).__name__}, and not the state of a training")
    return state


def _first_line(error: Exception) -> str:
    # torch goes on to explain how to read whatever anybody has written.
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return next((line.strip() for line in reversed(lines) if "Unsupported" in line), lines[0])[:200]


def _versions() -> dict[str, str | int]:
    return {"format": FORMAT, "wdgate": __version__, "torch": str(torch.__version__)}
