"""How does a person make a key, and verify a model that came as two files?"""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data_checks.errors import CannotProceed, PipelineError
from flows import report
from flows.settings import Settings

if TYPE_CHECKING:
    from wdgate.serving import Verified

LEDGER = (
    "The ledger was not consulted: whether this is still the champion, or was taken back, only it knows; "
    "`wdgate verify NAME` asks it."
)


def key(arguments: Namespace, settings: Settings) -> int:
    """Make a signing key where there is none, and trust its public half."""
    from wdgate.signing import new_key
    from wdgate.trust import TrustedKeys, trust, trusted

    if arguments.days is not None and not 0 < arguments.days <= 36500:
        raise PipelineError(f"--days must be from 1 to 36500, got {arguments.days}")
    made = new_key(arguments.file)
    if arguments.trusted is None:
        entry = trusted(made, days=arguments.days, note=arguments.note)
        print(TrustedKeys({made.keyid: entry}).content, end="")
        return 0
    entry = trust(arguments.trusted, made, days=arguments.days, note=arguments.note)
    until = f" until {entry.not_after.isoformat()}" if entry.not_after else ""
    print(f"{arguments.trusted} trusts the key {made.keyid}{until}.")
    print(f"To promote with it: WDGATE_SIGNING_KEY={arguments.file.resolve()}")
    print(f"To verify with it: WDGATE_TRUSTED_KEYS={arguments.trusted.resolve()}")
    return 0


def of_files(arguments: Namespace) -> bool:
    """Whether `verify` was asked about two files rather than a registry.

    Raises:
        PipelineError: one of the two is missing, or neither they nor a name were given.
    """
    given = (arguments.onnx is not None, arguments.certificate is not None)
    if any(given) and not all(given):
        raise PipelineError("`wdgate verify` needs both --onnx and --certificate, or the name of a model")
    if not any(given) and arguments.trusted_keys is not None and arguments.name is None:
        raise PipelineError("--trusted-keys goes with --onnx and --certificate, or with the name of a model")
    if not any(given) and arguments.name is None:
        raise PipelineError("`wdgate verify` needs the name of a model, or --onnx and --certificate")
    return all(given)


def verify_files(arguments: Namespace, settings: Settings) -> int:
    """Verify two files without a registry; 1 where they do not."""
    from wdgate import offline
    from wdgate.keys import trusted_keys

    trusted = trusted_keys(arguments.trusted_keys, embedded=settings.embedded, environment=os.environ)
    items = offline.verify_files(
        _content(arguments.onnx), _content(arguments.certificate), trusted, arguments.name
    )
    return _tell(items, arguments)


def _tell(items: Sequence[Verified], arguments: Namespace) -> int:
    verified = all(item.ok for item in items)
    told = [vars(item) for item in items]
    if arguments.json:
        report.print_json({"verified": verified, "ledger_consulted": False, "items": told})
    else:
        report.console().print(report.items_table(told))
        print(LEDGER)
    return 0 if verified else 1


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotProceed(f"{path} cannot be read: {error.strerror}") from error
