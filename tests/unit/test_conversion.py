"""Files of every carrier become the same exact rows, in file order, byte for byte repeatable."""

import gzip
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from tests.vendor_files import AWS, FOCUS, INVOICE, ROWS, convert_bytes, convert_file, csv_text


def without_file(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows without the columns that name their file."""
    return rows.drop("delivery_id", "x_file_name", "x_file_sha256")


@pytest.mark.parametrize("vendor_format", ROWS)
def test_converted_rows_have_the_columns_and_types_of_the_contract(vendor_format: str, tmp_path: Path) -> None:
    rows = convert_bytes(vendor_format, tmp_path, csv_text(vendor_format, {}).encode())

    VENDOR_CHARGES.pandera_schema().validate(rows)


@pytest.mark.parametrize("vendor_format", ROWS)
def test_no_converted_column_is_floating_point(vendor_format: str, tmp_path: Path) -> None:
    rows = convert_bytes(vendor_format, tmp_path, csv_text(vendor_format, {}).encode())

    assert not [name for name, type_ in rows.schema.items() if type_.is_float()]


def test_gzip_zstd_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    text = csv_text("aws_cur", {}, {"lineItem/UnblendedCost": "2", "identity/LineItemId": "x"}).encode()
    plain = without_file(convert_bytes("aws_cur", tmp_path, text))

    for name, content in (
        ("a.csv", b"\xef\xbb\xbf" + text),
        ("a.csv.gz", gzip.compress(text[:300]) + gzip.compress(text[300:])),
        ("a.csv.zst", pa.compress(text, codec="zstd", asbytes=True)),
        ("crlf.csv", text.replace(b"\n", b"\r\n")),
        ("A.CSV", text.rstrip(b"\n")),
    ):
        assert without_file(convert_bytes("aws_cur", tmp_path, content, name)).equals(plain), name


def test_the_header_may_be_camel_case_and_in_another_order(tmp_path: Path) -> None:
    plain = without_file(convert_bytes("distributor_invoice", tmp_path, csv_text("distributor_invoice", {}).encode()))
    camel = {"".join(part.title() for part in name.split("_")): value for name, value in reversed(INVOICE.items())}
    camel = {name[0].lower() + name[1:]: value for name, value in camel.items()}
    text = ",".join(camel) + "\n" + ",".join(f'"{value}"' for value in camel.values()) + "\n"

    assert without_file(convert_bytes("distributor_invoice", tmp_path, b"\xef\xbb\xbf" + text.encode())).equals(plain)


def test_naughty_strings_survive_unchanged(shared_data: Path, tmp_path: Path) -> None:
    strings = [text for text in json.loads((shared_data / "text" / "naughty_strings.json").read_text()) if text]
    text = csv_text("focus", *({"ChargeDescription": string, "SkuId": string} for string in strings))

    rows = convert_bytes("focus", tmp_path, text.encode())

    absent = {"NULL", "None"}
    expected = [None if string in absent else string for string in strings]
    assert rows["charge_description"].to_list() == expected
    assert rows["sku_id"].to_list() == expected


def test_rows_keep_the_order_of_the_file_over_many_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.carriers.CHUNK_BYTES", 5000)
    monkeypatch.setattr("resources.conversion.ROW_GROUP_ROWS", 300)
    changes = [
        {"identity/LineItemId": str(number), "lineItem/LineItemDescription": f'{number}, "quoted"\nand\r\nlines\n'}
        for number in range(2000)
    ]

    rows = convert_bytes("aws_cur", tmp_path, csv_text("aws_cur", *changes).encode())

    assert rows["row_number"].to_list() == list(range(1, 2001))
    assert rows["charge_description"].to_list() == [change["lineItem/LineItemDescription"] for change in changes]


def test_a_record_longer_than_a_chunk_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.carriers.CHUNK_BYTES", 100)

    rows = convert_bytes("focus", tmp_path, csv_text("focus", {}, {"Tags": "x" * 5000}).encode())

    assert rows["tags"].to_list() == [FOCUS["Tags"], "x" * 5000]


@pytest.mark.parametrize(
    "wrong",
    [b"\xff", b"\xce", b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80"],
    ids=["no start", "cut short", "overlong 2", "overlong 3", "surrogate", "beyond Unicode", "5 bytes"],
)
def test_what_is_not_utf_8_is_refused_also_in_a_column_that_nobody_reads(
    wrong: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.carriers.CHUNK_BYTES", 5000)
    changes = [{"identity/LineItemId": str(number), "lineItem/TaxType": f"{number} für"} for number in range(100)]
    text = csv_text("aws_cur", *changes).encode()

    with pytest.raises(BadInput) as caught:
        convert_bytes("aws_cur", tmp_path, text.replace("70 für".encode(), b"70 " + wrong))

    assert (caught.value.reason, caught.value.row) == ("the file is not UTF-8", 71)
    assert convert_bytes("aws_cur", tmp_path, text).height == 100


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(csv_text("aws_cur", *({"identity/LineItemId": str(number)} for number in range(5000))))

    first = convert_file("aws_cur", path, tmp_path / "1.parquet").path.read_bytes()
    second = convert_file("aws_cur", path, tmp_path / "2.parquet").path.read_bytes()

    assert first == second


def test_a_blank_line_at_the_end_is_no_row(tmp_path: Path) -> None:
    assert convert_bytes("focus", tmp_path, (csv_text("focus", {}) + "\n\n").encode()).height == 1


def test_the_sources_currency_is_used_where_the_file_has_none(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(csv_text("focus", {"BillingCurrency": ""}, {}))

    rows = pl.read_parquet(convert_file("focus", path, tmp_path / "1.parquet", currency="EUR").path)
    assert rows["billing_currency"].to_list() == ["EUR", "USD"]

    path.write_text("\n".join(line.replace("BillingCurrency", "Other") for line in csv_text("focus", {}).splitlines()))
    rows = pl.read_parquet(convert_file("focus", path, tmp_path / "2.parquet", currency="EUR").path)
    assert rows["billing_currency"].to_list() == ["EUR"]


def test_a_focus_file_with_blank_invoice_ids_is_not_final(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(csv_text("focus", {"InvoiceId": ""}, {"InvoiceId": "I1"}))

    converted = convert_file("focus", path, tmp_path / "out.parquet")

    assert converted.has_invoice_id_column is True
    assert (converted.groups[0].rows_without_invoice_id, converted.groups[0].invoice_ids) == (1, ("I1",))


def test_a_parquet_of_texts_gives_the_rows_of_the_csv(tmp_path: Path) -> None:
    for vendor_format, row in (("focus", FOCUS), ("aws_cur", AWS)):
        plain = without_file(convert_bytes(vendor_format, tmp_path, csv_text(vendor_format, {}).encode()))
        pl.DataFrame([row]).write_parquet(buffer := io.BytesIO())

        assert without_file(convert_bytes(vendor_format, tmp_path, buffer.getvalue(), "in.parquet")).equals(plain)


def test_a_typed_parquet_gives_the_rows_of_the_csv(tmp_path: Path) -> None:
    plain = without_file(convert_bytes("focus", tmp_path, csv_text("focus", {}, {"BilledCost": "1.2E-6"}).encode()))
    instants = [name for name in FOCUS if "Period" in name]
    table = pa.table(
        {name: pa.array([value, value]) for name, value in FOCUS.items()}
        | {name: pa.array([datetime.fromisoformat(FOCUS[name])] * 2, pa.timestamp("ms", "UTC")) for name in instants}
        | {
            "BilledCost": pa.array([1.5, 1.2e-6]),
            "EffectiveCost": pa.array([Decimal("1.40")] * 2, pa.decimal128(38, 10)),
            "PricingQuantity": pa.array([1, 1]),
            "ContractedCost": pa.nulls(2, pa.float64()),
        }
    )
    pq.write_table(table, path := tmp_path / "typed.parquet")

    assert without_file(convert_bytes("focus", tmp_path, path.read_bytes(), "in.parquet")).equals(plain)


def test_json_keeps_every_digit_of_a_number(tmp_path: Path) -> None:
    header = {name: INVOICE[name] for name in list(INVOICE)[:11]}
    item = {name: value for name, value in INVOICE.items() if name not in header and value}
    text = json.dumps({"invoices": [{**header, "net_total": 0, "items": [{**item, "pay_per_use": False}]}]})
    text = text.replace('"net_total": 0', '"net_total": 0.200000002000000000').replace(
        '"10.00"', "0.100000001000000000"
    )

    (row,) = convert_bytes("distributor_invoice", tmp_path, text.encode(), "in.json").to_dicts()

    assert row["x_unit_cost"] == Decimal("0.100000001")
    assert row["billed_cost"] == row["x_net_total"] == Decimal("0.200000002")


def test_a_workbook_gives_the_rows_of_the_csv_from_texts_or_from_numbers_and_dates(tmp_path: Path) -> None:
    plain = without_file(convert_bytes("distributor_invoice", tmp_path, csv_text("distributor_invoice", {}).encode()))
    typed: dict[str, object] = {
        **INVOICE,
        "invoice_date": date(2026, 10, 5),
        "issued_at": datetime(2026, 10, 5, 8, tzinfo=UTC).replace(tzinfo=None),
        "net_total": 20.0,
        "tax_total": 0,
        "line_number": 1,
        "pay_per_use": False,
        "start_date": datetime(2026, 10, 5),  # noqa: DTZ001 - a workbook knows no zones
        "quantity": 2,
        "list_price": 12.5,
        "unit_cost": 10,
    }
    for values in (INVOICE, typed):
        book = openpyxl.Workbook()
        book.active.append(list(INVOICE))
        book.active.append([value if value != "" else None for value in values.values()])
        book.save(buffer := io.BytesIO())

        rows = convert_bytes("distributor_invoice", tmp_path, buffer.getvalue(), "in.xlsx")
        assert without_file(rows).equals(plain)
