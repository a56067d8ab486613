"""Measure csv.gz to Parquet: our conversion against plain Polars and plain DuckDB on the same columns.

Usage: python bench/convert.py --rows N [--folder FOLDER] [--engine ours|polars|duckdb]

FOLDER holds chunks of one AWS Cost and Usage Report, `*.csv.gz`; without it, chunks of N rows are made by the
samples under bench/data/ and kept. Each engine runs in a process of its
own, so that CPU seconds (user + system) and peak memory are its own. Only ours verifies CRC, row
shape, exactness, nullability and row keys, and writes the canonical columns; the others are the
price of merely reading the same columns, typed.
"""

import argparse
import csv
import gzip
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring.workspaces import aws_chunks

from billing_pipeline.configuration import Source
from billing_pipeline.identifiers import file_set_sha256
from billing_pipeline.vendors.aws_cur import AWS_CUR
from billing_pipeline.vendors.header import match_header
from resources.conversion import LandedFile, convert, sha256_of
from resources.session import duckdb_session

ENGINES = ("ours", "polars", "duckdb")


def run_ours(files: list[Path], target: Path) -> None:
    """Convert every chunk as the pipeline does."""
    source = Source(id="bench", format="aws_cur", vendor="AWS")
    landed = [LandedFile(path.name, path, sha256_of(path)) for path in files]
    together = file_set_sha256(file.sha256 for file in landed)
    # A session as the pipeline's child processes have it.
    with duckdb_session(memory_limit="1GB", threads=1) as connection:
        for file in landed:
            convert(connection, source, file, together, target / f"{file.name}.parquet")


def run_polars(files: list[Path], target: Path) -> None:
    """Read the same columns with Polars alone."""
    import polars as pl  # noqa: PLC0415

    for path in files:
        header = _header(path)
        columns = []
        for name, index in match_header(AWS_CUR, header, path.name).positions.items():
            column = pl.col(header[index])
            kind = AWS_CUR.columns[name].kind
            if kind == "amount":
                column = column.cast(pl.Decimal(38, 18))
            elif kind == "instant":
                column = column.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")
            columns.append(column)
        scan = pl.scan_csv(path, schema=dict.fromkeys(header, pl.String()), null_values=["NULL", "None"])
        scan.select(columns).sink_parquet(target / f"{path.name}.parquet", compression="zstd")


def run_duckdb(files: list[Path], target: Path) -> None:
    """Read the same columns with DuckDB alone."""
    types = {"amount": "decimal(38, 18)", "instant": "timestamptz"}
    with duckdb_session(memory_limit="2GB") as connection:
        for path in files:
            header = _header(path)
            columns = ", ".join(
                f'cast("{header[index]}" as {types.get(AWS_CUR.columns[name].kind, "varchar")}) as "{name}"'
                for name, index in match_header(AWS_CUR, header, path.name).positions.items()
            )
            declared = ", ".join(f"'{name}': 'varchar'" for name in header)
            reading = (
                f"read_csv('{path}', auto_detect=false, header=true, delim=',', quote='\"', escape='\"',"
                f" new_line='\\n', columns={{{declared}}}, nullstr=['', 'NULL', 'None'], compression='gzip')"
            )
            writing = f"'{target / path.name}.parquet' (format parquet, compression zstd)"
            connection.execute(f"copy (select {columns} from {reading}) to {writing}")


def _header(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as stream:
        return next(csv.reader(stream))


def measure(engine: str, folder: Path) -> None:
    """Run one engine in this process and print what it took."""
    files = sorted(folder.glob("*.csv.gz"))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as target:
        {"ours": run_ours, "polars": run_polars, "duckdb": run_duckdb}[engine](files, Path(target))
        written = sum(path.stat().st_size for path in Path(target).iterdir())
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{engine:8} {usage.ru_utime + usage.ru_stime:8.1f} CPU s {time.perf_counter() - started:8.1f} s "
        f"{usage.ru_maxrss / 1024:8.0f} MB peak {written / 1e6:8.0f} MB written",
        flush=True,
    )


def main() -> None:
    """Measure all engines, each in its own process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--in-child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.in_child:
        measure(arguments.engine, arguments.folder)
        return
    folder = arguments.folder or _sample_chunks(arguments.rows)
    for engine in [arguments.engine] if arguments.engine else ENGINES:
        subprocess.run([sys.executable, __file__, "--folder", folder, "--engine", engine, "--in-child"], check=True)


def _sample_chunks(rows: int) -> Path:
    """Return a folder with the chunks of a sample of so many AWS rows, made in a process of its own."""
    made = "import sys; from measuring.workspaces import make_workspace as make; make(int(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", made, str(rows)], check=True, cwd=Path(__file__).parent)
    return aws_chunks(rows)[0].parent


if __name__ == "__main__":
    main()
