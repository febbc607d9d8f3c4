"""Which versions did pip choose, as the lines of a constraints file?

`make lock` hands the report of `pip install --dry-run --report -` to this file. The lines hold names and
versions only: no hashes, for the registry's PyTorch and the CPU wheel differ in theirs; and no local part of
a version, for no registry has `2.13.0+cpu`.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

HEADER = (
    "# Every version that wdgate is tested with. Written by `make lock`; do not edit.\n"
    "# What only other platforms need (such as the CUDA libraries, which torch itself pins) is not listed.\n"
)


def constraints(report: Mapping[str, Any], project: str = "wdgate") -> str:
    """The text of a constraints file for pip's installation report.

    Example:
        >>> report = {"install": [{"metadata": {"name": "Torch", "version": "2.13.0+cpu"}}]}
        >>> print(constraints(report).splitlines()[-1])
        torch==2.13.0
    """
    chosen = [package["metadata"] for package in report["install"]]
    names = {normalized(package["name"]): package["version"].partition("+")[0] for package in chosen}
    lines = [f"{name}=={version}\n" for name, version in sorted(names.items()) if name != project]
    if not lines:
        raise SystemExit("pip's report names no package, but the project needs many.")
    return HEADER + "".join(lines)


def normalized(name: str) -> str:
    """A package's name as registries compare it (PEP 503)."""
    return name.lower().replace("_", "-").replace(".", "-")


if __name__ == "__main__":
    sys.stdout.write(constraints(json.load(sys.stdin)))
