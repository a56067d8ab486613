"""Whether the lake's files are readable, and add up to what the deliveries say. Only reads.

What does not belong here: the snapshots of billed charges (`resources.verified_ledger`).
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from billing_pipeline.verification import Problem, Verified, first_line, spoken
from resources.lake import Lake, quoted
from resources.relations import read_files
from resources.verified_archive import Watch

_ADDED_UP = {table.name: table for table in (DELIVERIES, USAGE_RECONCILIATION, PRICED_LINE_ITEMS)}
# A delivery, its currency; its rows and their cost.
_Key = tuple[str, str]
_Sums = dict[_Key, tuple[int, Decimal]]


class LakeVerifier:
    """Checks of one lake; a file that cannot be read is named once, and left out of the sums.

    Args:
        connection: an empty session.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, lake: Lake, watch: Watch) -> None:
        self._connection = connection
        self._lake = lake
        self._watch = watch
        self._unreadable: set[Path] = set()

    def partitions(self) -> Verified:
        """Read every cell of every partition: of all assets but the converted files and the snapshots."""
        files = sorted(
            path
            for folder in self._lake.root.glob("*")
            if folder.name not in (VENDOR_CHARGES.name, BILLED_CHARGES.name)
            for path in folder.glob("*.parquet")
        )
        problems = []
        for number, path in enumerate(files, 1):
            self._watch(f"partition {number} of {len(files)}")
            difference = self._why_unreadable(path)
            if difference is not None:
                self._unreadable.add(path)
                problems.append(Problem(self._name(path), f"{difference}; delete it and run its day or month again"))
        return Verified("partitions", len(files), "files", tuple(problems))

    def converted_files(self, archived: Collection[str]) -> Verified:
        """Read every page of every converted file, and compare rows and cost with the deliveries.

        Args:
            archived: SHA-256 of all archived files: every row must come from one.
        """
        problems: list[Problem] = []
        count = 0
        partitions = [Path(file) for file in self._readable(DELIVERIES.name)]
        for place, partition in enumerate(partitions, 1):
            stated, files = self._stated(partition)
            sums: defaultdict[_Key, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
            is_whole = True
            for name in files:
                count += 1
                self._watch(f"converted file {count}, day {place} of {len(partitions)}")
                found = self._file(name, archived, problems)
                is_whole = is_whole and found is not None
                for key, (rows, cost) in (found or {}).items():
                    sums[key] = (sums[key][0] + rows, sums[key][1] + cost)
            if is_whole:
                problems += _differing(stated, sums)
        return Verified("converted files", count, "files", tuple(problems))

    def buckets(self) -> Verified:
        """Compare the buckets with the deliveries and with the priced charges they are made of, exactly."""
        self._watch("buckets of deliveries")
        # One file of a day that cannot be read would make its whole day differ.
        unreadable = {path.stem for path in self._unreadable}
        for name, table in (
            ("every_delivery", DELIVERIES),
            ("buckets", USAGE_RECONCILIATION),
            ("line_items", PRICED_LINE_ITEMS),
        ):
            files = [file for file in self._lake.files(table.name) if Path(file).stem not in unreadable]
            read_files(self._connection, name, table, files)
        self._connection.execute(
            "create or replace temp view deliveries as select * from every_delivery where unchanged_since is null"
        )
        counted = self._connection.execute("select count(*) from deliveries").fetchall()
        found = self._connection.sql(load_sql("reconciliation/unexplained_differences")).pl()
        problems = [
            Problem(
                row["delivery_id"],
                f"its buckets are {row['bucket_rows']} rows, {spoken(row['bucket_amount'], row['currency'])}; its"
                f" delivery has {row['rows_count']}, {spoken(row['rows_amount'], row['currency'])}; run its day again",
            )
            for row in found.iter_rows(named=True)
        ]
        columns = "delivery_id, currency, bucket, amount, row_count"
        made = f"select {columns} from ({load_sql('reconciliation/usage_reconciliation')})"
        differing = self._connection.execute(
            f"select distinct delivery_id, currency from (({made} except select {columns} from buckets) union all"
            f" (select {columns} from buckets except {made})) order by all"
        ).fetchall()
        problems += [
            Problem(name, f"its buckets in {currency} are not those of its priced charges; run its day again")
            for name, currency in differing
        ]
        return Verified("reconciliation", counted[0][0], "deliveries", tuple(problems))

    def deliveries(self) -> set[tuple[str, str, int, Decimal]]:
        """Return delivery, currency, rows and cost of all deliveries that can be read."""
        listed = [self._stated(Path(file))[0] for file in self._readable(DELIVERIES.name)]
        return {(*key, *sums) for stated in listed for key, sums in stated.items()}

    def _why_unreadable(self, path: Path) -> str | None:
        relation = f"read_parquet({quoted(path)}, hive_partitioning = false)"
        wanted = _ADDED_UP.get(path.parent.name)
        try:
            # The hash of a row needs every cell of it.
            self._connection.execute(f"select bit_xor(hash(cells)) from {relation} as cells").fetchall()
            if wanted is not None:
                described = self._connection.execute(f"describe select * from {relation}").fetchall()
                if [(row[0], row[1]) for row in described] != [(one.name, one.type) for one in wanted.columns]:
                    return "it was written by another version of this program"
        except duckdb.Error as error:
            return f"it cannot be read: {first_line(error)}"
        return None

    def _readable(self, asset: str) -> list[str]:
        return [file for file in self._lake.files(asset) if Path(file) not in self._unreadable]

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._lake.root))

    def _stated(self, partition: Path) -> tuple[_Sums, list[str]]:
        rows = self._connection.execute(
            "select delivery_id, currency, row_count, total_cost, parquet_files from"
            f" read_parquet({quoted(partition)}, hive_partitioning = false) where unchanged_since is null"
        ).fetchall()
        files = sorted({name for row in rows for name in json.loads(row[4])})
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}, files

    def _file(self, name: str, archived: Collection[str], problems: list[Problem]) -> _Sums | None:
        """Return the sums of a converted file; None where it cannot be read."""
        path = self._lake.locate(name)
        try:
            _read_pages(path)
            rows = self._connection.execute(
                "select delivery_id, billing_currency, count(*), sum(billed_cost), list(distinct x_file_sha256)"
                f" from read_parquet({quoted(path)}, hive_partitioning = false) group by all"
            ).fetchall()
        except (OSError, pa.ArrowException, duckdb.Error) as error:
            problems.append(Problem(name, f"it cannot be read: {first_line(error)}; delete it and run its day again"))
            return None
        unknown = sorted({sha256 for row in rows for sha256 in row[4]} - set(archived))
        problems += [Problem(name, f"it has rows of {sha256}, which the archive has not") for sha256 in unknown]
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def _read_pages(path: Path) -> None:
    """Read every page of a Parquet file, one column of a row group at a time: a whole one takes 150 MB more.

    Raises:
        OSError: a page does not have the checksum that was written with it, or cannot be unpacked.
    """
    with pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False) as file:
        for group in range(file.num_row_groups):
            for column in file.schema_arrow.names:
                file.read_row_group(group, columns=[column], use_threads=False)


def _differing(stated: Mapping[_Key, tuple[int, Decimal]], sums: _Sums) -> Iterable[Problem]:
    for key in sorted(stated):
        rows, cost = sums.get(key, (0, Decimal(0)))
        if (rows, cost) != stated[key]:
            yield Problem(
                key[0],
                f"its converted files have {rows} rows, {spoken(cost, key[1])}; it was taken with {stated[key][0]},"
                f" {spoken(stated[key][1], key[1])}; delete them and run its day again",
            )
