"""Measure `billing charges export`: the whole command, as it is typed, for each format.

Usage: python bench/charges.py --rows N [--repeat N] [--format xlsx|csv|parquet]

The lake with N customer charges is made under bench/data/charges-N and kept. CPU seconds (user + system) and peak
memory are those of the command's process, the start of Python and the imports included. All 16 columns are written,
sorted as by default; `start` is the same command over a workspace with hardly any charges.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from measuring.charge_lists import charges_folder, make_charges

COLUMNS = (
    "Invoice #,Invoice date,Type,Customer,Description,Start date,End date,Unit Cost Price,Unit Sell Price,Quantity,"
    "Unit,Total Cost Price,Total Sell Price,Product Type,Product Name,Currency"
)
FORMATS = ("xlsx", "csv", "parquet")
FEW = 20
# Targets of the design for a million rows.
TARGET_CPU_SECONDS, TARGET_MEGABYTES = 35, 300


@dataclass(frozen=True)
class Run:
    """What one run of the command took."""

    cpu: float
    wall: float
    peak_megabytes: float
    written_megabytes: float


def make(rows: int) -> None:
    """Make the charges in a process of its own: Linux lets a child begin with its parent's peak memory."""
    subprocess.run([sys.executable, __file__, "--make", "--rows", str(rows)], check=True)


def run_command(rows: int, format_name: str, folder: Path) -> Run:
    """Export the charges once, to `charges.FORMAT` in a folder, in a process of its own."""
    command = Path(sys.executable).with_name("billing")
    target = folder / f"charges.{format_name}"
    arguments = ["charges", "export", "--columns", COLUMNS, "--out", str(target)]
    environment = {**os.environ, "BILLING_HOME": str(charges_folder(rows))}
    began = time.perf_counter()
    child = subprocess.Popen([command, *arguments], env=environment, stdout=subprocess.PIPE)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    assert child.stdout is not None
    said = child.stdout.read().decode()
    if os.waitstatus_to_exitcode(status) or f"{rows:,} charges" not in said:
        raise SystemExit(f"the command failed: {said}")
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, target.stat().st_size / 1e6)


def main() -> None:
    """Print a line per format: medians of the runs, and the largest memory of any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        make_charges(arguments.rows)
        return
    make(FEW)
    make(arguments.rows)
    print(f"{'format':12}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}{'file MB':>9}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _print("start", [run_command(FEW, "csv", folder)])
        for format_name in [arguments.format] if arguments.format else FORMATS:
            _print(format_name, [run_command(arguments.rows, format_name, folder) for _ in range(arguments.repeat)])
    scale = arguments.rows / 1_000_000
    print(f"target xlsx {TARGET_CPU_SECONDS * scale:8.1f}{TARGET_MEGABYTES:17}")


def _print(name: str, runs: list[Run]) -> None:
    cpu, wall = (statistics.median(getattr(run, what) for run in runs) for what in ("cpu", "wall"))
    peak = max(run.peak_megabytes for run in runs)
    print(f"{name:12}{cpu:8.2f}{wall:8.2f}{peak:9.0f}{runs[0].written_megabytes:9.0f}", flush=True)


if __name__ == "__main__":
    main()
