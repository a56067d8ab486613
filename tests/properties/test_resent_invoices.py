"""Invoices sent again end the same in whatever order they land and the days are run.

Each file of a day holds some of two invoices, each in one of three contents; most repeat what was sent before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.configuration import Source, WorkspaceConfig
from resources.archive import Archive
from resources.inbox import open_inbox
from resources.intake import Intake
from resources.isolation import Converter
from resources.lake import Lake
from resources.relations import mark_current, read_deliveries
from resources.session import duckdb_session
from resources.untaken import outdated_days, untaken_days
from resources.workspace import Workspace
from tests.vendor_files import csv_text
from tests.workspaces import drop, instant

FIRST = date(2026, 11, 5)
CONTENTS: Mapping[str, Mapping[str, str]] = {
    "A": {"status": "issued"},
    "B": {"status": "issued", "description": "Product, mended"},
    "P": {"status": "pending"},
}
# One file a day: content by invoice number, None where the file does not hold it.
Files = Sequence[Mapping[str, str]]
FILES = st.lists(
    st.dictionaries(st.sampled_from(["N1", "N2"]), st.sampled_from("AAABP"), min_size=1), min_size=1, max_size=5
)


@dataclass
class Bench:
    connection: duckdb.DuckDBPyConnection
    converter: Converter
    config: WorkspaceConfig

    def outcome(self, files: Files, drops: Sequence[int], runs: Sequence[int], at_once: Sequence[bool]) -> "Outcome":
        """Land files in an order, some of them run at once, then run the days in another; then what is out of date."""
        with TemporaryDirectory() as folder:
            workspace = Workspace.at(Path(folder))
            archive, lake = Archive(workspace.archive), Lake(workspace.lake)
            intake = Intake(self.connection, self.converter, self.config, archive, lake)
            for index in drops:
                rows = [{"invoice_number": number, **CONTENTS[text]} for number, text in sorted(files[index].items())]
                name = f"dist/received={day_of(index)}/invoices-{index}-of-the-month.csv"
                drop(workspace, name, csv_text("distributor_invoice", *rows), instant(1))
                if at_once[index]:
                    intake.take(open_inbox(workspace.home, self.config, archive), day_of(index))
            inbox = open_inbox(workspace.home, self.config, archive)
            for index in runs:
                intake.take(inbox, day_of(index))
            zone = self.config.organisation.zone
            for day in outdated_days(inbox, lake, zone):
                intake.take(inbox, day)
            assert untaken_days(inbox, lake, archive, zone) == []
            return self._outcome(lake)

    def _outcome(self, lake: Lake) -> "Outcome":
        read_deliveries(self.connection, lake, None)
        mark_current(self.connection)
        of_day = "cast(received_at as date)"
        taken = self.connection.execute(
            f"select {of_day}, billing_account_id, is_current from known_deliveries order by all"
        ).fetchall()
        repeated = self.connection.execute(
            f"select {of_day}, billing_account_id, cast(unchanged_since as date) from repeated_deliveries order by all"
        ).fetchall()
        return Outcome(taken, repeated)


@dataclass
class Outcome:
    """Deliveries with whether they are current, and repeats with the day since which they are unchanged."""

    taken: list[tuple[date, str, bool]]
    repeated: list[tuple[date, str, date]]


def day_of(index: int) -> date:
    return FIRST + timedelta(days=index)


def expected(files: Files) -> Outcome:
    """What the specification says: the same bytes are one delivery, the same content is none, the newest is current."""
    taken: list[tuple[date, str]] = []
    repeated: list[tuple[date, str, date]] = []
    last: dict[str, tuple[str, date]] = {}
    seen: list[Mapping[str, str]] = []
    for index, file in enumerate(files):
        if file in seen:
            continue
        seen.append(file)
        for number, content in sorted(file.items()):
            before = last.get(number)
            if before is not None and before[0] == content:
                repeated.append((day_of(index), number, before[1]))
            else:
                taken.append((day_of(index), number))
                last[number] = (content, day_of(index))
    newest = {number: max(day for day, owner in taken if owner == number) for _, number in taken}
    return Outcome(sorted((day, number, newest[number] == day) for day, number in taken), sorted(repeated))


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    organisation = {
        "id": "o", "name": "O", "time_zone": "UTC", "currency": "EUR", "country": "GR",
        "charges_start_on": "2020-01-01", "standard_edition_since": "2020-01-01",
    }  # fmt: skip
    source = Source(id="dist", format="distributor_invoice", vendor="D")
    config = WorkspaceConfig.model_validate({"organisation": organisation, "sources": [source]})
    with (
        TemporaryDirectory() as folder,
        duckdb_session(memory_limit="1GB", threads=1) as connection,
        Converter(connection, Path(folder)) as converter,
    ):
        yield Bench(connection, converter, config)


@settings(max_examples=40, deadline=None)
@given(files=FILES, data=st.data())
def test_any_order_of_landing_and_of_runs_keeps_the_first_of_what_is_the_same(
    bench: Bench, files: Files, data: st.DataObject
) -> None:
    order = st.permutations(range(len(files)))
    at_once = data.draw(st.lists(st.booleans(), min_size=len(files), max_size=len(files)))
    assert bench.outcome(files, data.draw(order), data.draw(order), at_once) == expected(files)


def test_a_day_that_is_taken_again_comes_to_the_same(bench: Bench) -> None:
    files = [{"N1": "A"}, {"N1": "A", "N2": "A"}, {"N1": "B", "N2": "A"}, {"N1": "A"}]
    runs = [0, 1, 2, 3]
    assert bench.outcome(files, runs, runs, [True] * 4) == bench.outcome(files, runs, runs * 2, [False] * 4)
