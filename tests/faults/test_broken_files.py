"""A file that cannot be taken whole is refused whole, naming row, column and value; nothing is left behind."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl
import pyarrow as pa
import pytest

from billing_pipeline.errors import BadInput
from resources import carriers
from resources.conversion import duplicate_row_key
from resources.session import duckdb_session
from tests.vendor_files import AWS, FOCUS, INVOICE, ROWS, convert_bytes, convert_file, csv_text


def refused(vendor_format: str, folder: Path, content: bytes, name: str = "in.csv") -> BadInput:
    """Convert a broken file; return why it was refused, having checked that nothing was written."""
    with pytest.raises(BadInput) as caught:
        convert_bytes(vendor_format, folder, content, name)
    assert [path.name for path in folder.iterdir()] == [name]
    assert caught.value.file == name
    return caught.value


def workbook(rows: list[list[object]]) -> bytes:
    """An .xlsx whose first sheet holds these rows."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def with_member(book: bytes, name: str, content: bytes) -> bytes:
    """A workbook with one member of its archive added or replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.namelist():
            if member != name:
                target.writestr(member, source.read(member))
        target.writestr(name, content)
    return buffer.getvalue()


PLAIN_WORKBOOK = [list(INVOICE), list(INVOICE.values())]


@pytest.mark.parametrize(
    ("vendor_format", "column", "value", "reason"),
    [
        ("aws_cur", "lineItem/UnblendedCost", "1.2.3", "no number"),
        ("aws_cur", "lineItem/UnblendedCost", "0.01 USD", "no number"),
        ("aws_cur", "lineItem/UnblendedCost", "1.2345678901234567899E-6", "more than 18 decimals"),
        ("aws_cur", "lineItem/UnblendedCost", "123456789012345678901", "more than 20 digits"),
        ("aws_cur", "lineItem/UnblendedCost", "", "must not be empty"),
        ("aws_cur", "lineItem/UnblendedCost", "NULL", "must not be empty"),
        ("aws_cur", "pricing/publicOnDemandCost", "abc", "no number"),
        ("aws_cur", "lineItem/UsageStartDate", "01/10/2026", "no date and time"),
        ("aws_cur", "lineItem/CurrencyCode", "US$", "ISO 4217"),
        ("aws_cur", "bill/PayerAccountId", "None", "must not be empty"),
        ("focus", "BilledCost", "12a", "no number"),
        ("focus", "BilledCost", "NULL", "must not be empty"),
        ("focus", "BillingCurrency", "EURO", "ISO 4217"),
        ("focus", "BillingPeriodStart", "2026-13-01 00:00:00", "no such date"),
        ("focus", "ChargeCategory", "Gift", "one of Usage"),
        ("distributor_invoice", "quantity", "two", "no number"),
        ("distributor_invoice", "unit_cost", "0.1234567891", "more than 9 decimals"),
        ("distributor_invoice", "invoice_date", "2026-02-30", "no such date"),
        ("distributor_invoice", "issued_at", "2026-10-05T10:00:00", "zone is missing"),
        ("distributor_invoice", "type", "Debit", "one of debit, credit"),
        ("distributor_invoice", "status", "paid", "one of issued"),
        ("distributor_invoice", "order_channel", "phone", "one of reseller_storefront"),
        ("distributor_invoice", "origin", "guess", "one of billing_service"),
        ("distributor_invoice", "installment_number", "1.5", "no whole number"),
        ("distributor_invoice", "pay_per_use", "perhaps", "neither true nor false"),
    ],
)
def test_a_bad_cell_is_named_by_row_column_and_value(
    vendor_format: str, column: str, value: str, reason: str, tmp_path: Path
) -> None:
    key = next(iter(ROWS[vendor_format]))
    good = (
        [{key: f"{ROWS[vendor_format][key]}{number}"} for number in range(2)] if vendor_format != "focus" else [{}, {}]
    )

    error = refused(vendor_format, tmp_path, csv_text(vendor_format, *good, {column: value}, {}).encode())

    assert (error.row, error.column, error.value) == (3, column, value)
    assert reason in error.reason


def test_the_row_is_exact_in_a_file_of_many_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.carriers.CHUNK_BYTES", 5000)
    changes = [
        {"identity/LineItemId": str(number), "lineItem/LineItemDescription": "two\nlines"} for number in range(2000)
    ]
    changes[1503]["lineItem/UnblendedCost"] = "oops"

    error = refused("aws_cur", tmp_path, csv_text("aws_cur", *changes).encode())

    assert (error.row, error.column, error.value) == (1504, "lineItem/UnblendedCost", "oops")


@pytest.mark.parametrize("name", ["in.csv", "in.csv.gz", "in.csv.zst", "in.parquet"])
def test_an_empty_file_is_refused(name: str, tmp_path: Path) -> None:
    assert refused("focus", tmp_path, b"", name).reason == "the file is empty"


def test_a_gzip_of_nothing_is_refused(tmp_path: Path) -> None:
    assert refused("focus", tmp_path, gzip.compress(b""), "in.csv.gz").reason == "the file has no header"


@pytest.mark.parametrize("vendor_format", ROWS)
def test_a_header_without_rows_is_refused(vendor_format: str, tmp_path: Path) -> None:
    header = csv_text(vendor_format, {}).splitlines()[0]

    assert refused(vendor_format, tmp_path, header.encode()).reason == "the file has a header and no rows"


def test_another_formats_file_is_refused(tmp_path: Path) -> None:
    error = refused("aws_cur", tmp_path, csv_text("focus", {}).encode())

    assert error.reason == "this is a FOCUS file, the source expects an AWS Cost and Usage Report (legacy)"


def test_a_file_of_no_known_format_is_refused(tmp_path: Path) -> None:
    assert "unknown format" in refused("focus", tmp_path, b"a,b\n1,2\n").reason


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_not_guessed(delimiter: str, tmp_path: Path) -> None:
    text = f"{delimiter.join(FOCUS)}\n{delimiter.join(FOCUS.values())}\n"

    assert "unknown format" in refused("focus", tmp_path, text.encode()).reason


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    header = ",".join(name for name in AWS if name not in ("lineItem/UnblendedCost", "lineItem/UsageAccountId"))

    error = refused("aws_cur", tmp_path, f"{header}\n".encode())

    assert "line_item_usage_account_id, line_item_unblended_cost" in error.reason


def _ragged(text: str) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[:2], lines[2].rsplit(",", 1)[0], *lines[3:]]) + "\n"


@pytest.mark.parametrize(
    ("damage", "row"),
    [
        (_ragged, 2),
        (lambda text: text.replace("\n", ",extra\n").replace(",extra\n", "\n", 2), 2),
        (lambda text: text[:-40], 3),
    ],
    ids=["too few fields", "too many fields", "cut short"],
)
def test_a_row_of_another_width_is_refused(damage: Callable[[str], str], row: int, tmp_path: Path) -> None:
    text = csv_text("aws_cur", {}, {"identity/LineItemId": "2"}, {"identity/LineItemId": "3"})

    error = refused("aws_cur", tmp_path, damage(text).encode())

    assert error.row == row
    assert "fields, the header has" in error.reason


def test_a_file_that_ends_inside_quotes_is_refused(tmp_path: Path) -> None:
    text = csv_text("focus", {}, {"ChargeDescription": 'a "quoted" word, and a comma'})

    error = refused("focus", tmp_path, text[: text.index('""quoted')].encode())

    assert "inside quotes" in error.reason


def test_text_that_is_not_utf_8_is_refused_with_its_row(tmp_path: Path) -> None:
    text = csv_text("focus", {}, {"ChargeDescription": "caf\xe9"})

    error = refused("focus", tmp_path, text.encode("latin-1"))

    assert (error.reason, error.row) == ("the file is not UTF-8", 2)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:-8] + b"\0\0\0\0" + data[-4:], "corrupt"),
        (lambda data: data[:-4] + b"\0\0\0\1", "corrupt"),
        (lambda data: data[: len(data) // 2], "truncated"),
        (lambda data: data[:-3], "truncated"),
        (lambda data: data + b"garbage behind the end", "corrupt"),
    ],
    ids=["wrong crc", "wrong length", "cut in half", "cut in its end mark", "garbage"],
)
def test_a_damaged_gzip_is_refused(damage: Callable[[bytes], bytes], reason: str, tmp_path: Path) -> None:
    text = csv_text("aws_cur", *({"identity/LineItemId": str(number)} for number in range(500)))

    assert reason in refused("aws_cur", tmp_path, damage(gzip.compress(text.encode())), "in.csv.gz").reason


def test_a_truncated_zstd_is_refused(tmp_path: Path) -> None:
    text = csv_text("aws_cur", *({"identity/LineItemId": str(number)} for number in range(500)))
    data = pa.compress(text.encode(), codec="zstd", asbytes=True)

    assert "corrupt" in refused("aws_cur", tmp_path, data[:-20], "in.csv.zst").reason


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (gzip.compress(csv_text("focus", {}).encode()), "in.csv"),
        (csv_text("focus", {}).encode(), "in.csv.gz"),
        (csv_text("focus", {}).encode(), "in.parquet"),
        (csv_text("focus", {}).encode(), "in.txt"),
        (csv_text("focus", {}).encode(), "in"),
    ],
)
def test_name_and_content_must_agree(content: bytes, name: str, tmp_path: Path) -> None:
    assert "the name" in refused("focus", tmp_path, content, name).reason


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriers, "BOMB_BYTES", 1 << 20)
    text = csv_text("focus", *({} for _ in range(20_000)))

    assert "decompression bomb" in refused("focus", tmp_path, gzip.compress(text.encode(), 9), "in.csv.gz").reason


def test_a_corrupt_parquet_is_refused(tmp_path: Path) -> None:
    pl.DataFrame([FOCUS]).write_parquet(buffer := io.BytesIO())
    good = buffer.getvalue()

    assert "corrupt" in refused("focus", tmp_path, good[:-20], "in.parquet").reason


def test_a_bad_cell_of_a_parquet_is_named(tmp_path: Path) -> None:
    pl.DataFrame([FOCUS, {**FOCUS, "BilledCost": "x"}]).write_parquet(buffer := io.BytesIO())

    error = refused("focus", tmp_path, buffer.getvalue(), "in.parquet")

    assert (error.row, error.column, error.value) == (2, "BilledCost", "x")


@pytest.mark.parametrize("vendor_format", ["aws_cur", "distributor_invoice"])
def test_a_row_key_that_repeats_is_refused(vendor_format: str, tmp_path: Path) -> None:
    key = next(iter(ROWS[vendor_format]))

    error = refused(vendor_format, tmp_path, csv_text(vendor_format, {}, {key: "other"}, {}).encode())

    assert error.row == 3
    assert "already stands in row 1" in error.reason
    assert error.column in ("identity/LineItemId + identity/TimeInterval", "invoice_number + line_number")


def test_a_row_key_that_repeats_in_another_chunk_is_found(tmp_path: Path) -> None:
    paths = []
    for number, keys in enumerate([("a", "b"), ("c", "b")]):
        path = tmp_path / f"chunk{number}.csv"
        path.write_text(csv_text("aws_cur", *({"identity/LineItemId": key} for key in keys)))
        paths.append(convert_file("aws_cur", path, tmp_path / f"{number}.parquet").path)

    with duckdb_session(threads=1) as connection:
        error = duplicate_row_key(connection, paths)
        assert duplicate_row_key(connection, paths[:1]) is None

    assert error is not None
    assert (error.file, error.row) == ("chunk1.csv", 2)
    assert "row 2 of chunk0.csv" in error.reason


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("currency", "USD"),
        ("status", "pending"),
        ("net_total", "21"),
        ("invoice_date", "2026-10-06"),
        ("tax_total", ""),
    ],
)
def test_header_values_of_one_invoice_must_agree(column: str, value: str, tmp_path: Path) -> None:
    rows = csv_text("distributor_invoice", {}, {"line_number": "2", column: value})

    error = refused("distributor_invoice", tmp_path, rows.encode())

    assert (error.row, error.column) == (2, column)
    assert "header values must agree" in error.reason


@pytest.mark.parametrize("net_total", ["20.01", "19.995", "-20.00", "200"])
def test_a_net_total_that_its_items_do_not_make_is_refused_with_both_numbers(net_total: str, tmp_path: Path) -> None:
    error = refused("distributor_invoice", tmp_path, csv_text("distributor_invoice", {"net_total": net_total}).encode())

    assert error.column == "net_total"
    assert net_total.rstrip("0").rstrip(".") in error.reason or net_total in error.reason
    assert "add up to 20 EUR" in error.reason


def test_a_credit_written_with_negative_amounts_is_refused(tmp_path: Path) -> None:
    change = {"type": "credit", "quantity": "-2", "net_total": "-20"}

    error = refused("distributor_invoice", tmp_path, csv_text("distributor_invoice", change).encode())

    assert "amounts are positive in the file" in error.reason


def test_an_issued_invoice_must_say_when(tmp_path: Path) -> None:
    error = refused("distributor_invoice", tmp_path, csv_text("distributor_invoice", {"issued_at": ""}).encode())

    assert error.column == "issued_at"


def test_an_unknown_column_of_our_own_format_is_named(tmp_path: Path) -> None:
    error = refused("distributor_invoice", tmp_path, csv_text("distributor_invoice", {"rebate": "1"}).encode())

    assert error.column == "rebate"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{", "no valid JSON"),
        ("[]", "unknown format"),
        ('{"invoices": [], "extra": 1}', "unknown keys: extra"),
        ('{"invoices": []}', "unknown format"),
        ('{"invoices": [{"invoice_number": "N1"}]}', "no items"),
        ('{"invoices": [{"invoice_number": "N1", "items": []}]}', "no items"),
        ('{"invoices": [{"a": 1, "a": 2, "items": [{}]}]}', "appears twice"),
        ('{"invoices": [{"a": NaN, "items": [{}]}]}', "no number"),
        ('{"invoices": [{"a": {"b": 1}, "items": [{}]}]}', "must be a text"),
        ('{"invoices": [{"a": "\\ud800", "items": [{}]}]}', "Unicode"),
        ('{"invoices": ' + "[" * 100_000, "no valid JSON"),
    ],
)
def test_json_that_is_no_invoice_is_refused(document: str, reason: str, tmp_path: Path) -> None:
    assert reason in refused("distributor_invoice", tmp_path, document.encode(), "in.json").reason


def test_a_bad_json_item_is_counted_across_invoices(tmp_path: Path) -> None:
    header = {name: INVOICE[name] for name in list(INVOICE)[:11]}
    items = {name: INVOICE[name] for name in list(INVOICE)[11:]}
    document = {
        "invoices": [
            {**header, "items": [items]},
            {**header, "invoice_number": "N2", "items": [{**items, "unit_cost": "ten"}]},
        ]
    }

    error = refused("distributor_invoice", tmp_path, json.dumps(document).encode(), "in.json")

    assert (error.row, error.column, error.value) == (2, "unit_cost", "ten")


@pytest.mark.parametrize(
    ("member", "content", "reason"),
    [
        ("xl/vbaProject.bin", b"macro", "macros"),
        ("xl/worksheets/sheet1.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', "document type or an entity"),
        ("xl/extra.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a/>'.encode("utf-16"), "document type or an entity"),
        ("[Content_Types].xml", b"application/vnd.ms-excel.sheet.macroEnabled.main+xml", "may hold macros"),
    ],
)
def test_a_workbook_with_more_than_cells_is_refused(member: str, content: bytes, reason: str, tmp_path: Path) -> None:
    book = with_member(workbook(PLAIN_WORKBOOK), member, content)

    assert reason in refused("distributor_invoice", tmp_path, book, "in.xlsx").reason


@pytest.mark.parametrize("name", ["in.xlsm", "IN.XLSM", "in.xlsb"])
def test_a_workbook_with_a_macro_name_is_refused(name: str, tmp_path: Path) -> None:
    assert "macros" in refused("distributor_invoice", tmp_path, workbook(PLAIN_WORKBOOK), name).reason


def test_a_workbook_that_is_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.invoice_rows.BOMB_BYTES", 1 << 20)
    book = with_member(workbook(PLAIN_WORKBOOK), "xl/extra.xml", b" " * (10 << 20))

    assert "decompression bomb" in refused("distributor_invoice", tmp_path, book, "in.xlsx").reason


@pytest.mark.parametrize("damage", [lambda data: data[:-30], lambda data: data[:200] + b"\0" * 50 + data[250:]])
def test_a_corrupt_workbook_is_refused(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    error = refused("distributor_invoice", tmp_path, damage(workbook(PLAIN_WORKBOOK)), "in.xlsx")

    assert "workbook" in error.reason


def test_a_number_longer_than_a_spreadsheet_keeps_is_refused(tmp_path: Path) -> None:
    values: list[object] = [12345678901234567 if name == "customer_id" else value for name, value in INVOICE.items()]

    error = refused("distributor_invoice", tmp_path, workbook([list(INVOICE), values]), "in.xlsx")

    assert (error.row, error.column) == (1, "customer_id")


def test_aws_reports_do_not_come_as_workbooks(tmp_path: Path) -> None:
    assert "does not come as xlsx" in refused("aws_cur", tmp_path, workbook(PLAIN_WORKBOOK), "in.xlsx").reason


def test_an_earlier_conversion_survives_a_failed_one(tmp_path: Path) -> None:
    convert_bytes("focus", tmp_path, csv_text("focus", {}).encode())
    before = (tmp_path / "out.parquet").read_bytes()

    with pytest.raises(BadInput):
        convert_bytes("focus", tmp_path, csv_text("focus", {"BilledCost": "x"}).encode())

    assert (tmp_path / "out.parquet").read_bytes() == before
