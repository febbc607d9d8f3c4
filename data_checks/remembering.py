"""Were these rows asked these questions before? Then what was found is read, not measured again.

A folder holds the findings, the evidence and the readable pages of one asking, which its key stands for.
"""

from __future__ import annotations

import glob
import hashlib
import io
import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from data_checks.asking import asking_key
from data_checks.check import Check
from data_checks.checks import check_splits
from data_checks.report import DataReport, Finding
from data_checks.splits import Splits

_FOUND, _EVIDENCE = "found.json", "evidence.parquet"
_DAY = 24 * 60 * 60


def check_once(
    splits: Splits,
    checks: Sequence[Check],
    folder: Path,
    *,
    salt: str = "",
    code: str = "",
    again: bool = False,
    **options: Any,
) -> DataReport:
    """What `check_splits` finds, asked once for each content.

    Args:
        splits: the rows.
        checks: the questions.
        folder: for the findings and the readable pages; whatever else is in it is removed.
        salt: what the keys of private rows are salted with.
        code: names the code of checks that are not ours, and what it is called with, so that a change of
            either asks again.
        again: ask in any case.
        options: further arguments of `check_splits`.
    """
    key = asking_key(splits, checks, salt, code, options)
    known = None if again else _read(folder, key)
    if known is not None:
        return known
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    # Beside the folder first, so that one that is there is whole; then instead of it, because pages of an
    # earlier asking may show rows that this one may not. By a name that nobody else has: on a volume of many
    # containers every process has the same number.
    held = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        # Within, because what is made by `mkdtemp` only its owner may read.
        made = held / "made"
        report = check_splits(splits, checks, salt=salt, docs=made, **options)
        _write(report, made, key)
        _put(made, folder, held / "before")
    finally:
        shutil.rmtree(held, ignore_errors=True)
    return report


def _put(made: Path, folder: Path, aside: Path) -> None:
    """Put a folder in the place of another, unless somebody else has just done so with theirs."""
    with suppress(FileNotFoundError):
        folder.rename(aside)
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _sweep(folder: Path) -> None:
    """Remove what runs that were killed have left beside the folder."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.*"):
        with suppress(FileNotFoundError):
            if left.is_dir() and time.time() - left.stat().st_mtime > _DAY:
                shutil.rmtree(left, ignore_errors=True)


def _write(report: DataReport, folder: Path, key: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    evidence = folder / _EVIDENCE
    report.evidence.to_parquet(evidence)
    content = {
        "key": key,
        "evidence": hashlib.sha256(evidence.read_bytes()).hexdigest(),
        "left_out": np.flatnonzero(report.left_out).tolist(),
        "test_rows": len(report.left_out),
        "fingerprints": dict(report.fingerprints),
        "findings": [finding.as_dict() for finding in report.findings],
    }
    (folder / _FOUND).write_text(json.dumps(content), encoding="utf-8")


def _read(folder: Path, key: str) -> DataReport | None:
    """What a folder holds, if that can be read and answers the question that `key` stands for."""
    try:
        content = json.loads((folder / _FOUND).read_text(encoding="utf-8"))
        evidence = (folder / _EVIDENCE).read_bytes()
        return _report(content, evidence) if content["key"] == key else None
    # A folder that somebody puts another in the place of, or that was damaged; Arrow's errors are among them.
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _report(content: Mapping[str, Any], evidence: bytes) -> DataReport:
    import pandas as pd

    if content["evidence"] != hashlib.sha256(evidence).hexdigest():
        raise ValueError("the evidence is not what was written")
    left_out = np.zeros(content["test_rows"], bool)
    left_out[content["left_out"]] = True
    findings = tuple(Finding.from_dict(finding) for finding in content["findings"])
    return DataReport(findings, pd.read_parquet(io.BytesIO(evidence)), content["fingerprints"], left_out)
