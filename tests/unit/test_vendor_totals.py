"""`invoice_totals.csv` read strictly: every cell typed, the first fault named with row, column and value."""

from datetime import date
from decimal import Decimal

import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.vendor_totals import TOTALS_COLUMNS, is_totals_file, read_totals

HEADER = "billing_account_id,billing_period,invoice_id,invoice_date,currency,net_total,tax_total,is_final"
ROW = "0042,2025-10,V-1,2025-11-03,USD,3.00,0.72,true"
FILE = "received=2025-11-25/invoice_totals.csv"


def read(*lines: str) -> list[dict[str, object]]:
    return read_totals(FILE, "\n".join(lines).encode())


def refusal(*lines: str) -> BadInput:
    with pytest.raises(BadInput) as refused:
        read(*lines)
    assert refused.value.file == FILE
    return refused.value


def test_a_row_is_an_invoice_with_exact_totals() -> None:
    assert read(HEADER, ROW) == [
        {
            "billing_account_id": "0042",
            "billing_period": "2025-10",
            "invoice_id": "V-1",
            "invoice_date": date(2025, 11, 3),
            "currency": "USD",
            "net_total": Decimal("3.00"),
            "tax_total": Decimal("0.72"),
            "is_final": True,
            "row_number": 1,
        }
    ]


def test_an_estimate_has_neither_number_nor_date_nor_tax() -> None:
    [row] = read(HEADER, "0042,2025-10,,,USD,-0.000000000000000001,,FALSE")
    assert (row["invoice_id"], row["invoice_date"], row["tax_total"], row["is_final"]) == (None, None, None, False)
    assert row["net_total"] == Decimal("-1E-18")


def test_columns_stand_in_any_order_with_bom_quotes_and_blank_lines() -> None:
    names = HEADER.split(",")[::-1]
    text = "﻿" + ",".join(names) + '\r\n\r\n"true","0.72",3,USD,2025-11-03,"V ""1""",2025-10,"a,b"\r\n'
    [row] = read_totals(FILE, text.encode())
    assert (row["billing_account_id"], row["invoice_id"], row["row_number"]) == ("a,b", 'V "1"', 2)


@pytest.mark.parametrize("column", HEADER.split(","))
def test_every_column_must_be_there(column: str) -> None:
    index = HEADER.split(",").index(column)
    lines = [",".join(cell for place, cell in enumerate(line.split(",")) if place != index) for line in (HEADER, ROW)]
    error = refusal(*lines)
    assert (error.column, error.reason) == (column, f"columns are missing: {column}")


def test_unknown_and_repeated_columns_are_named() -> None:
    assert "the column is unknown; the columns are billing_account_id" in refusal(HEADER + ",note", ROW + ",x").reason
    assert refusal(HEADER + ",note", ROW + ",x").column == "note"
    assert refusal(HEADER + ",currency", ROW + ",USD").column == "currency"


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("net_total", "1.2E-6", "is no number"),
        ("net_total", "1,000.00", "is no number"),
        ("net_total", "٣", "is no number"),
        ("net_total", "0.1234567890123456789", "more than 18 decimals"),
        ("net_total", "NaN", "is no number"),
        ("tax_total", "n/a", "is no number"),
        ("billing_period", "2025-13", "is no billing period"),
        ("billing_period", "10/2025", "is no billing period"),
        ("invoice_date", "03.11.2025", "is no day"),
        ("invoice_date", "2025-02-30", "is no day"),
        ("currency", "usd", "is no ISO 4217 currency code"),
        ("currency", "XAU", "has no minor unit"),
        ("is_final", "yes", "must be true or false"),
        ("is_final", "1", "must be true or false"),
    ],
)
def test_a_cell_that_is_wrong_is_named_with_its_row_and_value(column: str, value: str, reason: str) -> None:
    cells = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | {"invoice_id": "V-2", column: value}
    error = refusal(HEADER, ROW, ",".join(f'"{cell}"' for cell in cells.values()))
    assert (error.row, error.column, error.value) == (2, column, value)
    assert reason in error.reason


@pytest.mark.parametrize("column", [column.name for column in TOTALS_COLUMNS if column.filled])
def test_an_empty_cell_is_refused_where_one_is_needed(column: str) -> None:
    cells = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | {column: " "}
    error = refusal(HEADER, ",".join(cells.values()))
    assert (error.row, error.column, error.reason) == (1, column, "the cell must not be empty")


def test_an_invoice_stands_once_in_a_file() -> None:
    error = refusal(HEADER, ROW, "", ROW.replace("3.00", "4.00"))
    assert (error.row, error.column, error.value) == (3, "invoice_id", "V-1")
    assert error.reason == "the same account, month, currency and invoice stand in row 1"
    assert len(read(HEADER, ROW, ROW.replace("USD", "EUR"), ROW.replace("V-1", "V-2"))) == 3
    assert refusal(HEADER, ROW.replace("V-1", ""), ROW.replace("V-1", "")).value is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file has no header"),
        (b"\n\n", "the file has no header"),
        (HEADER.encode(), "it holds no totals"),
        (HEADER.encode() + b"\n,,,,,,,\n", "it holds no totals"),
        (HEADER.encode() + b"\n0042,2025-10", "2 cells where the header names 8"),
        (HEADER.encode() + b'\n"0042,2025-10', "the CSV cannot be read"),
        (HEADER.encode() + b"\n00\x0042", "holds a zero byte"),
        (HEADER.encode() + b"\n\xff\xfe", "line 2 is no UTF-8"),
        ("\n".join((HEADER, ROW)).encode("utf-16"), "is no UTF-8"),
        (HEADER.replace(",", ";").encode() + b"\n1;2", "the column is unknown"),
        (b"PK\x03\x04", "the column is unknown"),
    ],
)
def test_what_is_no_table_of_totals_is_refused_whole(content: bytes, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_totals(FILE, content)


@pytest.mark.parametrize(
    ("name", "is_totals"),
    [
        ("invoice_totals.csv", True),
        ("received=2025-11-25/x/Invoice_Totals.CSV", True),
        ("invoice_totals.csv.sha256", False),
        ("my_invoice_totals.csv", False),
        ("invoice_totals.csv/a.csv", False),
    ],
)
def test_the_file_is_told_by_its_name_in_whatever_folder(name: str, is_totals: bool) -> None:
    assert is_totals_file(name) is is_totals
