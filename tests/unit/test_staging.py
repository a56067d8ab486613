"""Canonical rows are the same, whether each distinct thing is made once or everything row by row."""

from pathlib import Path

import pyarrow as pa
import pytest

from billing_pipeline.configuration import Source
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples import sources
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from resources.conversion import LandedFile
from resources.opened_files import latest_month, open_rows
from resources.sample_files import write_samples
from resources.session import duckdb_session
from resources.staging import Staging

FORMATS = {
    "aws_cur": sources.AWS,
    "aws_cur2": sources.AWS_CUR2,
    "aws_dbr": sources.AWS_DBR,
    "azure_costs": sources.AZURE_COSTS,
    "distributor_invoice": sources.DISTRIBUTOR,
    "focus": sources.AZURE,
    "gcp_reseller": sources.GCP_RESELLER,
    "ms_daily": sources.MS_DAILY,
    "ms_nce": sources.MS_NCE,
}
# Their SQL leaves rows out or makes several of one.
ROW_BY_ROW = {"aws_dbr", "gcp_reseller"}
DATA = (".csv", ".csv.gz", ".csv.zst", ".parquet", ".json", ".jsonl", ".jsonl.gz", ".json.gz", ".xlsx", ".zip")


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("samples")
    write_samples(home, BillingPeriod.parse("2026-10"), 1000)
    return home / "landing"


@pytest.mark.parametrize("vendor_format", FORMATS)
def test_what_is_made_once_equals_what_is_made_row_by_row(
    vendor_format: str, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(id="src", format=vendor_format, vendor="Vendor", currency="EUR")
    path = next(
        path
        for path in sorted((landing / FORMATS[vendor_format]).rglob("*"))
        if path.name.endswith(DATA) and "anifest" not in path.name
    )
    file = LandedFile(path.name, path, "f" * 64)
    declared, rows, batches = open_rows(source, file)
    raw_rows = pa.Table.from_batches(list(batches))
    parameters = {"source": "src", "file_name": "in", "file_sha256": "f" * 64, "file_set_sha256": "e" * 64}
    if declared.month_columns:
        parameters["billing_month"] = latest_month(source, [file])
    if declared.control_rows is not None:
        parameters["billing_month"] = "2026-10"

    with duckdb_session(memory_limit="500MB", threads=1, preserve_insertion_order=True) as connection:
        divided = Staging(connection, declared.staging_sql, rows.schema)
        once = divided.canonical(raw_rows, parameters)
        again = divided.canonical(raw_rows.slice(100), parameters)
        monkeypatch.setattr("resources.staging.column_origins", lambda *_: None)
        plain = Staging(connection, declared.staging_sql, rows.schema).canonical(raw_rows, parameters)

    assert any(pa.types.is_dictionary(field.type) for field in once.schema) != (vendor_format in ROW_BY_ROW)
    assert plain.num_rows > 0
    assert tuple(once.column_names) == VENDOR_CHARGES.column_names
    assert once.cast(plain.schema).equals(plain)
    assert again.schema == once.schema
    if vendor_format not in ROW_BY_ROW:
        assert again.cast(plain.schema).equals(plain.slice(100))


def test_sql_that_gives_other_rows_than_its_text_promises_stops_the_conversion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The text is read by one parser and run by another: what they disagree on must not shift amounts to other rows."""
    names = [f"cast(null as {column.type}) as {column.name}" for column in VENDOR_CHARGES.columns[3:]]
    sql = f"select 'd' as delivery_id, 's' as source, row_number, {', '.join(names)} from raw_rows"
    monkeypatch.setattr("resources.staging.load_sql", lambda _: sql)
    raw_rows = pa.table({"row_number": pa.array([1, 2, 3], pa.int64())})
    with duckdb_session(memory_limit="500MB", threads=1, preserve_insertion_order=True) as connection:
        staging = Staging(connection, "any", raw_rows.schema)
        assert staging.canonical(raw_rows, {}).num_rows == 3
        staging._sql = f"{sql} where row_number > 1"
        with pytest.raises(AssertionError, match="other rows than its text promises"):
            staging.canonical(raw_rows, {})
