"""Were these rows asked these questions before? Then what was found is read, not measured again.

A folder holds the findings, the evidence and the readable pages of one asking. What makes two askings the
same is their key: the rows, what they are called and whether they may be shown, the questions, and the code.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data_checks.check import Check
from data_checks.checks import check_splits
from data_checks.report import DataReport, Finding
from data_checks.splits import Splits, column_bytes

_FOUND, _EVIDENCE = "found.json", "evidence.parquet"


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
        code: names the code of checks that are not ours, so that a change of it asks again.
        again: ask in any case.
        options: further arguments of `check_splits`.
    """
    key = asking_key(splits, checks, salt, code, options)
    known = None if again else _read(folder, key)
    if known is not None:
        return known
    # Beside the folder first, so that one that is there is whole; then instead of it, because pages of an
    # earlier asking may show rows that this one may not.
    made = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(made, ignore_errors=True)
    try:
        report = check_splits(splits, checks, salt=salt, docs=made, **options)
        _write(report, made, key)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return report


def asking_key(splits: Splits, checks: Sequence[Check], salt: str, code: str, options: dict[str, Any]) -> str:
    """What makes two askings the same, as 32 hex digits."""
    named = splits.named().values()
    ids = [hashlib.blake2b(column_bytes(split.ids).tobytes()).hexdigest() for split in named]
    content = [
        [splits.fingerprints, ids, splits.public, str(splits.embargo), splits.source],
        [[check.as_dict(), str(getattr(check.measure, "__module__", ""))] for check in checks],
        [salt, code, options, _own_code()],
    ]
    return hashlib.blake2b(json.dumps(content, default=str).encode(), digest_size=16).hexdigest()


def _own_code() -> str:
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


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
    import pandas as pd

    found, evidence = folder / _FOUND, folder / _EVIDENCE
    if not (found.is_file() and evidence.is_file()):
        return None
    try:
        content = json.loads(found.read_text(encoding="utf-8"))
    except ValueError:
        return None
    intact = content.get("evidence") == hashlib.sha256(evidence.read_bytes()).hexdigest()
    if content.get("key") != key or not intact:
        return None
    left_out = np.zeros(content["test_rows"], bool)
    left_out[content["left_out"]] = True
    findings = tuple(Finding.from_dict(finding) for finding in content["findings"])
    return DataReport(findings, pd.read_parquet(evidence), content["fingerprints"], left_out)
