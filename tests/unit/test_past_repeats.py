"""An invoice that is a repeat by now was news before its twin, dated earlier, had landed."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.schemas.deliveries import DELIVERIES
from resources.archive import Archive
from resources.archive_as_of import ArchiveAsOf
from resources.inbox import open_inbox
from resources.intake import Intake
from resources.isolation import Converter
from resources.lake import Lake
from resources.overlay import OverlayLake
from resources.past_deliveries import PastDeliveries
from resources.session import duckdb_session
from tests.workspaces import drop, instant, invoice, make_workspace

EARLIER, DAY = date(2025, 11, 20), date(2025, 11, 24)


@pytest.mark.parametrize("is_taken_again", [True, False], ids=["taken again", "listed"])
def test_a_repeat_is_told_by_what_was_known(is_taken_again: bool, tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "home")
    config, lake = workspace.load_config(), Lake(workspace.lake)
    zone = config.organisation.zone
    with (
        duckdb_session(memory_limit="1GB", threads=1) as connection,
        Converter(connection, workspace.home) as converter,
    ):
        for seen, name, content in ((25, DAY, invoice("N1", 1)), (27, EARLIER, invoice("N1", 1) + "\n")):
            drop(workspace, f"dist/received={name}/a.csv", content, instant(seen))
            archive = Archive(workspace.archive, now=lambda day=seen: instant(day))
            inbox = open_inbox(workspace.home, config, archive)
            intake = Intake(connection, converter, config, archive, lake)
            for day in (EARLIER, DAY):
                intake.take(inbox, day)
        listed = pl.read_parquet(lake.path(DELIVERIES.name, DAY.isoformat()))
        assert listed["unchanged_since"].to_list() == [instant(20, 10)]

        overlay = OverlayLake(tmp_path / "scratch", lake, shared=(DELIVERIES.name,))
        known = ArchiveAsOf(workspace.archive, instant(26), zone)
        past = PastDeliveries.look(connection, converter, config, known, overlay)
        if is_taken_again:
            assert past.take_month(BillingPeriod("2025-10")) == [DAY.isoformat()]
        past.list_other_days()
    files = sorted((tmp_path / "scratch" / DELIVERIES.name).glob("*.parquet"))
    [row] = pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files]).to_dicts()
    assert (row["received_at"], row["unchanged_since"]) == (instant(24, 10), None)
