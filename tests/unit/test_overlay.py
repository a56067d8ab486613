"""A lake laid over another one writes to itself and reads the one below where it has nothing."""

from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.schemas.table import Column, Table
from resources.lake import Lake
from resources.overlay import OverlayLake

THINGS = Table("things", "one thing", (Column("name", "VARCHAR", "Name."),))
OTHERS = Table("others", "one other", (Column("name", "VARCHAR", "Name."),))


@pytest.fixture
def lakes(tmp_path: Path) -> tuple[OverlayLake, Lake]:
    below = Lake(tmp_path / "below")
    for day in ("2026-10-05", "2026-10-06"):
        for table in (THINGS, OTHERS):
            below.write_frame(table, day, pl.DataFrame({"name": [f"below {day}"]}))
    return OverlayLake(tmp_path / "own", below, shared=["things"]), below


def names(lake: Lake, asset: str, partitions: list[str] | None = None) -> list[str]:
    return [pl.read_parquet(file)["name"].item() for file in lake.files(asset, partitions)]


def test_a_shared_asset_is_read_from_below_until_it_is_written_here(lakes: tuple[OverlayLake, Lake]) -> None:
    lake, _ = lakes
    lake.write_frame(THINGS, "2026-10-06", pl.DataFrame({"name": ["own"]}))
    lake.write_frame(THINGS, "2026-10-07", pl.DataFrame({"name": ["own too"]}))
    assert lake.partitions("things") == ["2026-10-05", "2026-10-06", "2026-10-07"]
    assert names(lake, "things") == ["below 2026-10-05", "own", "own too"]
    assert names(lake, "things", ["2026-10-05", "2026-10-09"]) == ["below 2026-10-05"]


def test_of_any_other_asset_only_what_was_written_here_exists(lakes: tuple[OverlayLake, Lake]) -> None:
    lake, _ = lakes
    assert (lake.partitions("others"), lake.files("others"), lake.find("others", "2026-10-05")) == ([], [], None)


def test_nothing_is_ever_written_below(lakes: tuple[OverlayLake, Lake]) -> None:
    lake, below = lakes
    before = {path: path.read_bytes() for path in below.root.rglob("*.parquet")}
    lake.write_frame(THINGS, "2026-10-05", pl.DataFrame({"name": ["own"]}))
    lake.write_empty(OTHERS, "2026-10-06")
    assert {path: path.read_bytes() for path in below.root.rglob("*.parquet")} == before


def test_converted_files_are_found_here_before_below(lakes: tuple[OverlayLake, Lake]) -> None:
    lake, below = lakes
    name = "vendor_charges/2026-10-05/aws-0.parquet"
    assert lake.locate(name) == below.root / name
    (lake.root / name).parent.mkdir(parents=True)
    (lake.root / name).touch()
    assert lake.locate(name) == lake.root / name
