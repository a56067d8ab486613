"""Let LibreOffice open a long list of charges, and hold every cell that it reads against the charges.

Usage: python bench/libreoffice.py --rows N

The charges are those of bench/charges.py. Where LibreOffice is not installed, nothing is done.
"""

import argparse
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from charges import make, run_command

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.libreoffice import differing_cells, find_soffice, sheets_as_csv


def main() -> None:
    """Print what LibreOffice took, and the columns in which a cell differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    if find_soffice() is None:
        print("LibreOffice is not installed: left out")
        return
    make(rows)
    with TemporaryDirectory() as name:
        folder = Path(name)
        run_command(rows, "xlsx", folder)
        run_command(rows, "parquet", folder)
        began = time.perf_counter()
        *sheets, _ = sheets_as_csv(folder / "charges.xlsx", folder).values()
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(
            f"{rows:,} charges opened and written as CSV: {usage.ru_utime + usage.ru_stime:.0f} CPU s, the exports"
            f" included, {time.perf_counter() - began:.0f} s, {usage.ru_maxrss / 1024:.0f} MB"
        )
        found = differing_cells(sheets, folder / "charges.parquet")
    print(f"cells that differ: {found or 'none'}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
