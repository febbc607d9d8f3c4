"""How often do the gates err, what do they cost, and what do they save?

    python benchmarks/gates.py [--quick] [--only edge chance wear]

Models whose truth is known are judged by the functions that the gates call, many test sets at once; seeds are
fixed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys

import numpy as np
import scipy
from gates import chance, edge, wear

SECTIONS = {"edge": edge.compare, "chance": chance.compare, "wear": wear.compare}


def main() -> None:
    """Run the sections that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few simulations, to see that it runs")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    words = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # so that a line is seen when it is there
    print(f"python benchmarks/gates.py {' '.join(sys.argv[1:])}".rstrip())
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}"
    )
    for name in words.only:
        print()
        SECTIONS[name](words.quick)


if __name__ == "__main__":
    main()
