"""Deliveries of Microsoft: an invoice replaces its estimates, currencies stay apart, blobs come with their manifest."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.sources import MS_DAILY, MS_NCE
from resources.archive import Archive
from resources.intake import Day, Intake, open_inbox
from resources.isolation import Converter
from resources.lake import Lake
from resources.sample_microsoft_files import write_ms_daily, write_ms_nce
from resources.session import duckdb_session
from resources.workspace import Workspace
from tests.vendors.ms_daily.daily_rows import DAILY
from tests.vendors.ms_nce.nce_rows import json_lines, nce_csv
from tests.workspaces import BILLING_TOML, drop, make_workspace

PARTNER = DAILY["PartnerId"]
SOURCES = f"""
[[sources]]
id = "{MS_NCE}"
format = "ms_nce"
vendor = "Microsoft"
[[sources]]
id = "{MS_DAILY}"
format = "ms_daily"
vendor = "Microsoft"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = make_workspace(tmp_path / "home")
    (made.home / "billing.toml").write_text(BILLING_TOML + SOURCES)
    return made


@contextmanager
def taker(workspace: Workspace) -> Iterator[Intake]:
    with (
        duckdb_session(memory_limit="1GB", threads=1) as connection,
        Converter(connection, workspace.home) as converter,
    ):
        archive = Archive(workspace.archive)
        yield Intake(connection, converter, workspace.load_config(), archive, Lake(workspace.lake))


def take(workspace: Workspace, *days: date) -> list[Day]:
    with taker(workspace) as intake:
        inbox = open_inbox(workspace.home, intake.config, intake.archive)
        return [intake.take(inbox, day) for day in days]


def manifest(names: Sequence[str], **changes: object) -> str:
    document = {
        "eTag": "v1",
        "partnerTenantId": PARTNER.upper(),
        "rootDirectory": f"https://h/c/v1/PartnerTenantId={PARTNER}/InvoiceId=G1",
        "blobCount": len(names),
        "blobs": [{"name": name} for name in names],
    }
    return json.dumps({**document, **changes})


def blob(*changes: Mapping[str, str]) -> bytes:
    return gzip.compress(json_lines(*({**DAILY, **change} for change in changes)))


BLOBS = ("part-00000-a.c000.json.gz", "part-00001-a.c000.json.gz")
LATE = {"ChargeStartDate": "2026-09-01T00:00:00Z", "UsageDate": "2026-09-30T00:00:00Z"}
FOLDER = f"{MS_DAILY}/received=2026-11-08/G1"


def drop_export(workspace: Workspace, **changes: object) -> None:
    drop(workspace, f"{FOLDER}/{BLOBS[0]}", blob({}, {}))
    drop(workspace, f"{FOLDER}/{BLOBS[1]}", blob(LATE))
    drop(workspace, f"{FOLDER}/manifest.json", manifest(BLOBS, **changes))


@pytest.mark.parametrize("root", ["", "/BillingMonth=202610"])
def test_all_blobs_of_an_invoice_are_one_delivery_of_its_month(root: str, workspace: Workspace) -> None:
    drop_export(workspace, rootDirectory=f"https://h/c{root}")

    (day,) = take(workspace, date(2026, 11, 8))

    (row,) = day.deliveries.to_dicts()
    assert (row["billing_account_id"], row["billing_period"], row["is_final"]) == (PARTNER, "2026-10", True)
    assert (row["row_count"], row["file_count"], row["total_cost"]) == (3, 2, Decimal("10.2"))
    names = json.loads(row["parquet_files"])
    periods = pl.concat([pl.read_parquet(workspace.lake / name) for name in names])["billing_period"].unique()
    assert periods.to_list() == ["2026-10"]


def test_a_blob_without_its_manifest_waits(workspace: Workspace) -> None:
    drop(workspace, f"{FOLDER}/{BLOBS[0]}", blob({}))

    (day,) = take(workspace, date(2026, 11, 8))

    assert day.deliveries.is_empty()
    assert day.quarantine.is_empty()


def test_a_manifest_with_a_blob_missing_is_refused_and_nothing_taken(workspace: Workspace) -> None:
    drop(workspace, f"{FOLDER}/{BLOBS[0]}", blob({}))
    drop(workspace, f"{FOLDER}/manifest.json", manifest(BLOBS))

    (day,) = take(workspace, date(2026, 11, 8))

    assert day.deliveries.is_empty()
    assert day.quarantine["reason"].to_list() == ["a chunk that the manifest lists is not here"]


def test_a_manifest_of_another_partner_is_refused(workspace: Workspace) -> None:
    drop_export(workspace, partnerTenantId="somebody-else")

    (day,) = take(workspace, date(2026, 11, 8))

    assert day.deliveries.is_empty()
    assert "the manifest is of account somebody-else" in day.quarantine["reason"][0]


def test_each_currency_has_an_invoice_that_replaces_no_other(workspace: Workspace) -> None:
    for currency in ("EUR", "USD"):
        drop(workspace, f"{MS_NCE}/received=2026-11-08/{currency}.csv", nce_csv({"Currency": currency}))

    (day,) = take(workspace, date(2026, 11, 8))

    assert day.quarantine.is_empty()
    assert sorted(day.deliveries["slot"].to_list()) == [f"{MS_NCE}/{PARTNER}/2026-10/{name}" for name in ("EUR", "USD")]


def test_several_currencies_in_one_file_are_refused(workspace: Workspace) -> None:
    drop(workspace, f"{MS_NCE}/received=2026-11-08/a.csv", nce_csv({}, {"Currency": "USD"}))

    (day,) = take(workspace, date(2026, 11, 8))

    assert day.deliveries.is_empty()
    assert day.quarantine.select("reason", "value").rows() == [
        ("the file has several currencies; the vendor sends an invoice and a file for each", "EUR, USD")
    ]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_three_deliveries_end_with_the_last_also_when_it_is_shorter(
    order: tuple[int, ...], workspace: Workspace
) -> None:
    days = (date(2026, 10, 20), date(2026, 10, 31), date(2026, 11, 8))
    unbilled = {"InvoiceNumber": ""}
    files = [nce_csv(unbilled, unbilled), nce_csv(*[unbilled] * 4), nce_csv({})]
    for index in order:
        drop(workspace, f"{MS_NCE}/received={days[index]}/recon.csv", files[index])
        take(workspace, days[index])

    found = pl.concat([day.deliveries for day in take(workspace, *days)]).sort("received_at")

    assert found["slot"].n_unique() == 1
    assert found["is_final"].to_list() == [False, False, True]
    assert found["row_count"].to_list() == [2, 4, 1]


def test_a_generated_month_is_taken_whole_first_estimated_then_final(workspace: Workspace) -> None:
    month = BillingPeriod("2026-10")
    for is_final in (False, True):
        write_ms_nce(workspace.home, month, 200, 1, is_final)
        write_ms_daily(workspace.home, month, 200, 1, is_final)

    estimated, final = take(workspace, date(2026, 10, 31), date(2026, 11, 8))

    for day, is_final in ((estimated, False), (final, True)):
        assert day.quarantine.is_empty()
        assert day.deliveries.select("source", "billing_period", "is_final", "row_count").rows() == [
            (MS_DAILY, "2026-10", is_final, 200),
            (MS_NCE, "2026-10", is_final, 200),
        ]
