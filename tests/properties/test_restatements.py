"""A month that every vendor restates twice, the last time shorter, ends with its last delivery only.

Whatever the order in which the files land, and the days are run: the same deliveries are current, with the same rows.
"""

import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.catalogue import build_world
from billing_pipeline.samples.distributor_invoice import as_csv
from billing_pipeline.samples.distributor_items import distributor_invoices
from billing_pipeline.samples.sources import sample_billing_toml
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.vendors.registry import FORMATS
from resources import sample_files
from resources.archive import Archive
from resources.conversion import Converted
from resources.intake import Intake, open_inbox
from resources.isolation import Converter, Job
from resources.lake import Lake
from resources.relations import mark_current, read_partitions
from resources.sample_files import FEWEST_ROWS
from resources.session import duckdb_session

MONTH = BillingPeriod("2026-10")
DAYS = (date(2026, 11, 5), date(2026, 11, 9), date(2026, 11, 17))
# Restated twice, the last time shorter than ever.
ROWS = (FEWEST_ROWS + 200, FEWEST_ROWS + 300, FEWEST_ROWS)
SMALLER_FEEDS = ("AWS_CUR2_ROWS", "AWS_DBR_ROWS", "MS_NCE_ROWS", "MS_DAILY_ROWS", "AZURE_COSTS_ROWS", "GCP_ROWS")
Files = Mapping[str, bytes]


class CachedConverter(Converter):
    """Converts each file once in this process, and copies the result when it is asked again."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        super().__init__(connection, folder)
        self._cache = folder
        self._done: dict[tuple[str, str, str, str | None], Converted] = {}

    def _is_harmless(self, job: Job) -> bool:
        return True

    def convert(self, jobs: Sequence[Job]) -> list[object]:  # type: ignore[override]
        found: list[object] = []
        for job in jobs:
            key = (job.source.id, job.file.name, job.file_set_sha256, job.billing_month)
            if key not in self._done:
                [outcome] = super().convert([job])
                assert isinstance(outcome, Converted), outcome
                kept = self._cache / f"{len(self._done)}.kept"
                shutil.copyfile(outcome.path, kept)
                self._done[key] = replace(outcome, path=kept)
            job.target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._done[key].path, job.target)
            found.append(replace(self._done[key], path=job.target))
        return found


@dataclass
class Bench:
    """The sample's sources, three versions of every source's month, and what the last alone comes to."""

    config: WorkspaceConfig
    versions: Sequence[Files]
    connection: duckdb.DuckDBPyConnection
    converter: CachedConverter

    def outcome(self, drops: Sequence[int], runs: Sequence[int], is_run_at_once: Sequence[bool]) -> "Outcome":
        """Land versions in an order, some of them run at once, then run all days in another order."""
        with TemporaryDirectory() as folder:
            home = Path(folder)
            archive, lake = Archive(home / "archive"), Lake(home / "lake")
            intake = Intake(self.connection, self.converter, self.config, archive, lake)
            for hour, version in enumerate(drops):
                self._drop(home, version, datetime(2026, 11, 20, hour, tzinfo=UTC))
                inbox = open_inbox(home, self.config, archive)
                if is_run_at_once[version]:
                    assert intake.take(inbox, DAYS[version]).quarantine.is_empty()
            for version in runs:
                assert intake.take(inbox, DAYS[version]).quarantine.is_empty()
            return self._outcome(lake)

    def _drop(self, home: Path, version: int, at: datetime) -> None:

        for name, content in self.versions[version].items():
            path = home / "landing" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (at.timestamp(), at.timestamp()))

    def _outcome(self, lake: Lake) -> "Outcome":
        read_partitions(self.connection, "deliveries", DELIVERIES, lake, None)
        mark_current(self.connection)
        query = "select source, delivery_id, is_current, total_cost, row_count from known_deliveries order by all"
        deliveries = self.connection.execute(query).fetchall()
        current = [identifier for _, identifier, is_current, *_ in deliveries if is_current]
        files = sorted((lake.root / "vendor_charges").rglob("*.parquet"))
        rows = pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files])
        rows = rows.filter(pl.col("delivery_id").is_in(current)).sort(
            "source", "delivery_id", "x_file_name", "row_number"
        )
        sums: dict[str, Decimal] = {}
        for source, _, is_current, total, _ in deliveries:
            if is_current:
                sums[source] = sums.get(source, Decimal(0)) + total
        return Outcome(tuple(sorted(current)), sums, rows, len(deliveries))


@dataclass
class Outcome:
    """What is current: deliveries, their sums by source, their rows; and how many versions are known in all."""

    current: tuple[str, ...]
    sums: Mapping[str, Decimal]
    rows: pl.DataFrame
    known: int


def generated(config: WorkspaceConfig, version: int, folder: Path) -> Files:
    """A version of every source's month, all arrived on its day."""
    with pytest.MonkeyPatch.context() as patch:
        for name in SMALLER_FEEDS:
            patch.setattr(sample_files, name, getattr(sample_files, name) + ROWS[version] - FEWEST_ROWS)
        sample_files.write_samples(folder, MONTH, rows=ROWS[version], seed=version + 1)
    files = {}
    for source in config.sources:
        place = folder / source.landing_folder
        for path in sorted(place.rglob("*")):
            if path.is_file() and source.format != "distributor_invoice":
                inside = [part for part in path.relative_to(place).parts if not part.startswith("received=")]
                files["/".join((source.id, f"received={DAYS[version]}", *inside))] = path.read_bytes()
    # Each invoice is a delivery of its own: it loses an item with every version, until two are left.
    invoices = [invoice for invoice in distributor_invoices(build_world(), MONTH, 1) if len(invoice.items) > 3]
    shorter = [replace(invoice, items=invoice.items[: 4 - version]) for invoice in invoices]
    source = next(source for source in config.sources if source.format == "distributor_invoice")
    return {**files, f"{source.id}/received={DAYS[version]}/invoices.csv": as_csv(shorter)}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("restatements")
    config = WorkspaceConfig.model_validate(tomllib.loads(sample_billing_toml("UTC")))
    versions = [generated(config, version, folder / str(version)) for version in range(3)]
    with duckdb_session(memory_limit="1GB", threads=1) as connection:
        yield Bench(config, versions, connection, CachedConverter(connection, folder))


@pytest.fixture(scope="module")
def last_alone(bench: Bench) -> Outcome:
    """What is there if nothing but the last version ever arrived."""
    return bench.outcome([2], [2], [False] * 3)


def test_every_format_has_samples_and_so_is_tested_here(bench: Bench, last_alone: Outcome) -> None:
    formats = {source.id: source.format for source in bench.config.sources}
    assert set(formats.values()) == set(FORMATS)
    assert {formats[source] for source in last_alone.sums} == set(FORMATS)


def test_the_last_delivery_is_the_shortest_of_every_source(bench: Bench) -> None:
    counts = []
    for version in range(3):
        rows = bench.outcome([version], [version], [False] * 3).rows
        counts.append(dict(rows.group_by("source").len().rows()))
    assert all(counts[2][source] < min(counts[0][source], counts[1][source]) for source in counts[2])


@settings(max_examples=8)
@given(
    drops=st.permutations(range(3)),
    runs=st.permutations(range(3)),
    is_run_at_once=st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_any_order_of_arrival_and_of_runs_ends_with_the_last_delivery_only(
    bench: Bench, last_alone: Outcome, drops: list[int], runs: list[int], is_run_at_once: list[bool]
) -> None:
    found = bench.outcome(drops, runs, is_run_at_once)
    assert found.current == last_alone.current
    assert found.sums == last_alone.sums
    assert found.rows.equals(last_alone.rows)
    assert found.known > len(found.current)
