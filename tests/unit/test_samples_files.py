"""Sample files on disk: layout, manifest, carriers, templates, and that the pipeline's own readers take them."""

import csv
import gzip
import json
import re
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import openpyxl
import polars as pl
import pytest

from billing_pipeline.configuration import FileFormat, WorkspaceConfig
from billing_pipeline.deliveries import Arrival, assemble, read_manifest
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.aws_columns import COLUMNS
from billing_pipeline.samples.catalogue import build_world
from billing_pipeline.samples.distributor_invoice import FIELDS
from billing_pipeline.samples.sources import sample_billing_toml
from billing_pipeline.schemas.reference import REFERENCE_FILES
from billing_pipeline.vendors.distributor_invoice import DISTRIBUTOR_INVOICE
from resources import sample_chunks, sample_files
from resources.conversion import Converted, LandedFile, convert, sha256_of
from resources.reference_files import load_reference
from resources.sample_distributor_files import write_invoice_templates
from resources.session import duckdb_session

MONTH = BillingPeriod("2026-10")
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    sample_files.write_samples(folder, MONTH, rows=2_500)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows_of(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream, strict=True))


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(home: Path, tmp_path: Path) -> None:
    written = sample_files.write_samples(tmp_path / "again", MONTH, rows=2_500)
    sample_files.write_samples(tmp_path / "other", MONTH, rows=2_500, seed=2)
    assert contents(tmp_path / "again") == contents(home)
    assert len(written) == len(contents(home))
    focus = "landing/azure/received=2026-11-08/focus-cost-2026-10.csv.gz"
    assert contents(tmp_path / "other")[focus] != contents(home)[focus]


def test_aws_and_focus_rows_add_up_to_the_rows_asked_for(home: Path) -> None:
    files = [path for source in ("aws", "azure") for path in (home / "landing" / source).rglob("*.csv.gz")]
    assert sum(len(rows_of(path)) - 1 for path in files) == 2_500


def test_fewer_rows_than_the_fixed_ones_are_refused_with_the_number_needed(tmp_path: Path) -> None:
    with pytest.raises(sample_files.TooFewRows, match="at least 500 rows, not 499"):
        sample_files.write_samples(tmp_path, MONTH, rows=499)


def test_the_fewest_rows_work(tmp_path: Path) -> None:
    assert sample_files.write_samples(tmp_path, MONTH, rows=sample_files.FEWEST_ROWS)


def test_the_manifest_lists_every_chunk_and_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_chunks, "ROWS_PER_CHUNK", 700)
    sample_files.write_samples(tmp_path, MONTH, rows=2_500)
    beside, root = sorted((tmp_path / "landing" / "aws").rglob("*-Manifest.json"), key=lambda path: -len(path.parts))
    assert beside.read_bytes() == root.read_bytes()
    assert beside.parent.parent == root.parent
    manifest = json.loads(beside.read_text())
    assert beside.parent.name == manifest["assemblyId"]
    chunks = sorted(path.name for path in beside.parent.glob("*.csv.gz"))
    assert [Path(key).name for key in manifest["reportKeys"]] == chunks
    assert len(chunks) == 3
    assert all(key.split("/")[-3:-1] == [root.parent.name, beside.parent.name] for key in manifest["reportKeys"])
    assert [f"{column['category']}/{column['name']}" for column in manifest["columns"]] == list(COLUMNS)
    assert manifest["billingPeriod"] == {"start": "20261001T000000.000Z", "end": "20261101T000000.000Z"}
    parts = [rows_of(path) for path in sorted(beside.parent.glob("*.csv.gz"))]
    assert [part[0] for part in parts] == [list(COLUMNS)] * 3
    assert sum(len(part) - 1 for part in parts) == 2_000
    assert all(len(part) > 1 for part in parts)


def test_the_two_manifests_and_the_chunks_are_one_complete_delivery(home: Path) -> None:
    folder = home / "landing" / "aws"
    noon = datetime(2026, 11, 8, 10, tzinfo=UTC)
    arrivals = {
        path: Arrival("aws", path.relative_to(folder).as_posix(), sha256_of(path), path.stat().st_size, noon, noon)
        for path in folder.rglob("*.*") if path.is_file()
    }  # fmt: skip
    manifests = [read_manifest(each, path.read_bytes()) for path, each in arrivals.items() if path.suffix == ".json"]
    chunks = [each for path, each in arrivals.items() if path.suffix == ".gz"]
    assembled = assemble(chunks, manifests, needs_manifest=True)
    assert [file_set.files for file_set in assembled.complete] == [tuple(chunks)]
    assert not assembled.waiting
    assert not assembled.refused
    assert assembled.complete[0].manifest is not None
    assert assembled.complete[0].manifest.billing_period == "2026-10"


def test_gzip_headers_carry_neither_time_nor_name(home: Path) -> None:
    for path in home.rglob("*.csv.gz"):
        assert path.read_bytes()[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"


def test_each_distributor_invoice_arrives_on_the_day_it_was_issued(home: Path) -> None:
    files = sorted((home / "landing" / "dist").rglob("*.*"))
    assert {path.suffix for path in files} == {".csv", ".json", ".xlsx"}
    assert all(path.parent.name == f"received={path.stem.removeprefix('invoices-')}" for path in files)


def _converted(home: Path, target: Path) -> dict[str, list[Converted]]:
    config = WorkspaceConfig.model_validate(tomllib.loads(sample_billing_toml(), parse_float=Decimal))
    found: dict[str, list[Converted]] = {}
    with duckdb_session() as connection:
        for source in config.sources:
            folder = home / source.landing_folder
            files = (path for path in folder.rglob("*.*") if path.is_file() and "manifest" not in path.name.lower())
            for path in sorted(files):
                file = LandedFile(str(path.relative_to(folder)), path, sha256_of(path))
                place = target / f"{source.id}-{path.name}.parquet"
                found.setdefault(source.id, []).append(convert(connection, source, file, file.sha256, place))
    return found


def test_the_readers_take_every_sample_file_whole(home: Path, tmp_path: Path) -> None:
    converted = _converted(home, tmp_path)
    assert {source: sum(file.row_count for file in files) for source, files in converted.items()} == {
        "aws": 2_000,
        "azure": 500,
        "dist": 37,
        "aws-cur2": 600,
        "aws-dbr": 500,
        "ms-nce": 300,
        "ms-daily": 500,
        "azure-costs": 600,
        # A row with reseller margin becomes two.
        "gcp": 500 + _rows_with_margin(home),
    }
    groups = [(source, group) for source, files in converted.items() for file in files for group in file.groups]
    assert {group.currency for _, group in groups} == {"EUR"}
    assert {group.billing_period for _, group in groups} == {"2026-10"}
    # Google's export names no invoice, on no row.
    assert {group.rows_without_invoice_id for source, group in groups if source != "gcp"} == {0}
    # The detailed billing report states its total with the rounding that is no charge.
    assert all(group.net_total in (None, group.total_cost) for source, group in groups if source != "aws-dbr")


def _rows_with_margin(home: Path) -> int:
    shards = (home / "landing" / "gcp").rglob("*.json.gz")
    return sum(gzip.decompress(path.read_bytes()).count(b'"type": "RESELLER_MARGIN"') for path in shards)


def test_no_account_is_in_two_feeds_and_the_unassigned_ones_are_known(home: Path, tmp_path: Path) -> None:
    converted = _converted(home, tmp_path)
    sample_files.write_sample_reference(home, MONTH)
    reference = pl.read_csv(home / "reference" / "accounts.csv", infer_schema=False)
    assigned = {source: set(part["account_id"]) for (source,), part in reference.group_by("source")}
    used = {
        source: set(pl.concat([pl.read_parquet(file.path) for file in files], how="diagonal")["sub_account_id"])
        for source, files in converted.items()
        if source != "dist"
    }
    assert set(assigned) == set(used)
    named = [account for accounts in used.values() for account in accounts - {None}]
    assert len(named) == len(set(named))
    payers = {build_world(organisation=name).payer_account_id for name in ("", "aws-cur2", "aws-dbr")}
    unassigned = {source: accounts - assigned[source] - payers for source, accounts in used.items()}
    assert unassigned["aws"] == {build_world().aws_accounts[-1].account_id}
    assert unassigned["ms-nce"] == {None}
    # Of Azure it is the rounding, of Google the rounding and the tax, which are no customer's.
    assert {source for source, accounts in unassigned.items() if accounts} <= {
        "aws", "ms-nce", "azure", "azure-costs", "gcp",
    }  # fmt: skip


def test_the_readers_take_the_templates_and_read_the_same_from_each(tmp_path: Path) -> None:
    landing = tmp_path / "landing" / "dist"
    write_invoice_templates(landing)
    converted = _converted(tmp_path, tmp_path / "lake")["dist"]
    assert [file.row_count for file in converted] == [3, 3, 3]
    assert converted[0].groups == converted[1].groups == converted[2].groups
    assert [group.total_cost for group in converted[0].groups] == [Decimal("245.055"), Decimal("-39.78")]


def test_the_committed_templates_are_what_the_function_writes(tmp_path: Path) -> None:
    write_invoice_templates(tmp_path)
    written = contents(tmp_path)
    assert written == {name: content for name, content in contents(DOCS / "templates").items() if name in written}


def test_a_workbook_keeps_amounts_as_numbers_and_dates_as_dates() -> None:
    sheet = openpyxl.load_workbook(DOCS / "templates" / "distributor_invoice.xlsx").worksheets[0]
    header, first = ([each.value for each in row] for row in sheet.iter_rows(max_row=2))
    values = dict(zip(header, first, strict=True))
    assert tuple(header) == FIELDS
    assert f"{values['invoice_date']:%Y-%m-%d}" == "2026-10-03"
    assert (values["unit_cost"], values["line_number"]) == (9.945, "1")


def test_every_field_is_documented_with_its_requirement_and_values() -> None:
    text = (DOCS / "distributor-invoice.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(\w+)` \|(.+?)\|(.+?)\|(.+?)\|(.*?)\| `.+` \|$", text, re.MULTILINE)
    documented = {name: (required.strip(), values) for name, _, _, required, values in table}
    assert tuple(documented) == FIELDS == tuple(DISTRIBUTOR_INVOICE.columns)
    for name, column in DISTRIBUTOR_INVOICE.columns.items():
        required, values = documented[name]
        assert (required == "no") != column.required, name
        assert all(f"`{value}`" in values for value in column.values), name


def test_the_reference_files_are_one_valid_set_and_leave_one_account_unmapped(home: Path) -> None:
    written = sample_files.write_sample_reference(home, MONTH)
    assert [path.stem for path in written] == [file.name for file in REFERENCE_FILES]
    reference = load_reference(home, ZoneInfo("Europe/Athens"))
    assert reference is not None
    mapped = set((home / "reference" / "accounts.csv").read_text().replace("\n", ",").split(","))
    with gzip.open(next((home / "landing" / "aws").rglob("*-1.csv.gz")), "rt", newline="") as stream:
        rows = list(csv.DictReader(stream))
    unmapped = {row["lineItem/UsageAccountId"] for row in rows} - mapped - {rows[0]["bill/PayerAccountId"]}
    assert len(unmapped) == 1


def test_billing_toml_has_a_source_for_every_format_and_the_zone_asked_for() -> None:
    config = WorkspaceConfig.model_validate(tomllib.loads(sample_billing_toml("Asia/Tokyo")))
    assert config.organisation.time_zone == "Asia/Tokyo"
    assert [(source.id, source.format, source.vendor) for source in config.sources] == [
        ("aws", "aws_cur", "AWS"),
        ("azure", "focus", "Microsoft"),
        ("dist", "distributor_invoice", "Aegean Cloud Distribution"),
        ("aws-cur2", "aws_cur2", "AWS"),
        ("aws-dbr", "aws_dbr", "AWS"),
        ("ms-nce", "ms_nce", "Microsoft"),
        ("ms-daily", "ms_daily", "Microsoft"),
        ("azure-costs", "azure_costs", "Microsoft"),
        ("gcp", "gcp_reseller", "Google Cloud"),
    ]
    assert {source.format for source in config.sources} == set(get_args(FileFormat))
