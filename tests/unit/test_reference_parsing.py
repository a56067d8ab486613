"""One reference set in plain sight per test: what is accepted, and how a refusal names its place."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from billing_pipeline.errors import ReferenceInvalid
from billing_pipeline.reference import ReferenceSet, parse_reference, read_reference_rows

ATHENS = ZoneInfo("Europe/Athens")
ARRIVED = datetime(2026, 10, 4, 21, tzinfo=UTC)
CUSTOMERS = "customer_id,name,invoice_currency\nk1,Acme,EUR\nk2,Beta,USD\n"
RULES_HEADER = "rule_id,scope,scope_id,method,percent,valid_from,valid_to,recorded_at\n"


def parse(**texts: str | bytes) -> ReferenceSet:
    contents = {name: text if isinstance(text, bytes) else text.encode() for name, text in texts.items()}
    return parse_reference(
        {name: read_reference_rows(name, content) for name, content in contents.items()}, ATHENS, ARRIVED
    )


def problems(**texts: str | bytes) -> tuple[str, ...]:
    with pytest.raises(ReferenceInvalid) as refused:
        parse(**texts)
    return refused.value.problems


def problem(**texts: str | bytes) -> str:
    found = problems(**texts)
    assert len(found) == 1, found
    return found[0]


def test_absent_files_are_empty_frames_with_all_their_typed_columns() -> None:
    reference = parse()
    assert {name: frame.height for name, frame in reference.frames().items()} == dict.fromkeys(reference.frames(), 0)
    assert reference.pricing_rules.schema["percent"] == pl.Decimal(12, 4)
    assert reference.special_prices.schema["unit_price"] == pl.Decimal(38, 18)
    assert reference.accounts.schema["recorded_at"] == pl.Datetime("us", "UTC")
    assert reference.products.columns[-2:] == ["source_row", "recorded_at"]


def test_cells_become_exact_typed_values() -> None:
    reference = parse(
        customers=CUSTOMERS,
        special_prices="special_price_id,customer_id,product_id,method,percent,unit_price,currency,valid_from,valid_to\n"
        "s1,k1,p1,fixed,,0.123456789012345678,EUR,2026-01-01,2026-02-01\n"
        "s2,k1,p2,markup,-12.3456,,,2026-01-01,\n",
    )
    fixed, markup = reference.special_prices.to_dicts()
    assert fixed["unit_price"] == Decimal("0.123456789012345678")
    assert (fixed["valid_from"], fixed["valid_to"]) == (date(2026, 1, 1), date(2026, 2, 1))
    assert markup["percent"] == Decimal("-12.3456")
    assert markup["valid_to"] is None
    assert [row["source_row"] for row in (fixed, markup)] == [1, 2]


def test_the_header_may_be_reordered_start_with_a_bom_and_leave_optional_columns_out() -> None:
    reference = parse(customers='\ufeffinvoice_currency,name,customer_id\r\nEUR,"Acme, ""the"" one",007\r\n')
    row = reference.customers.row(0, named=True)
    assert (row["customer_id"], row["name"], row["email"]) == ("007", 'Acme, "the" one', None)


def test_a_quoted_cell_may_hold_several_lines_and_blank_lines_are_ignored_but_counted() -> None:
    text = 'customer_id,name,invoice_currency,address\n\nk1,Acme,EUR,"1 Street\nTown"\n,,,\nk2,Beta,EUR,\n'
    frame = parse(customers=text).customers
    assert frame["source_row"].to_list() == [2, 4]
    assert frame["address"].to_list() == ["1 Street\nTown", None]


def test_recorded_at_is_its_own_cell_or_the_start_of_the_local_day_of_arrival() -> None:
    rules = (
        RULES_HEADER
        + "r1,product,p1,srp,,2026-01-01,,2026-03-01T10:00:00+02:00\nr2,product,p2,srp,,2026-01-01,,2026-07-01\n"
        "r3,product,p3,srp,,2026-01-01,,\n"
    )
    assert parse(pricing_rules=rules).pricing_rules["recorded_at"].to_list() == [
        datetime(2026, 3, 1, 8, tzinfo=UTC),
        datetime(2026, 6, 30, 21, tzinfo=UTC),
        datetime(2026, 10, 4, 21, tzinfo=UTC),
    ]


def test_rows_keep_their_identity_when_columns_move_or_optional_ones_are_added() -> None:
    short = read_reference_rows("customers", CUSTOMERS.encode())
    long = read_reference_rows(
        "customers", b"name,customer_id,email,invoice_currency\nAcme,k1,,EUR\nBeta,k2,b@x.example,USD\n"
    )
    assert short.identities()[0] == long.identities()[0]
    assert short.identities()[1] != long.identities()[1]


def test_an_unknown_column_is_an_error_that_names_it_and_the_known_ones() -> None:
    text = problem(customers="customer_id,name,invoice_currency,colour\nk1,Acme,EUR,red\n")
    assert text.startswith("reference/customers.csv, column 'colour': is unknown; the columns are customer_id, name,")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"customer_id,name\nk1,Acme\n",
            "reference/customers.csv, column invoice_currency: is missing from the header",
        ),
        (b"", "reference/customers.csv: is empty; its first line must be a header"),
        (
            b"customer_id,name,name,invoice_currency\nk1,Acme,B,EUR\n",
            "reference/customers.csv, column name: stands twice in the header",
        ),
        (
            b"customer_id,name,invoice_currency\nk1,Acme\n",
            "reference/customers.csv, row 1: 2 cells where the header names 3",
        ),
        (b"customer_id,name,invoice_currency\nk1,Acme,EUR,\n", "row 1: 4 cells where the header names 3"),
        (b"customer_id,name,invoice_currency\nk1,Caf\xe9,EUR\n", "reference/customers.csv: line 2 is no UTF-8"),
        (b'customer_id,name,invoice_currency\nk1,5"x,EUR\n', "line 2: a quote inside a cell must be doubled"),
        (b'customer_id,name,invoice_currency\nk1,"Acme,EUR\n', "line 2: a quote inside a cell must be doubled"),
        (b'customer_id,name,invoice_currency\nk1,"A"cme,EUR\n', "line 2: a quote inside a cell must be doubled"),
        (b"customer_id,name,invoice_currency\nk1,A\x00,EUR\n", "line 2 holds a zero byte"),
        (
            b"customer_id;name;invoice_currency\nk1;Acme;EUR\n",
            "reference/customers.csv, column 'customer_id;name;invoice_currency': is unknown",
        ),
    ],
)
def test_a_text_that_is_no_strict_csv_is_refused_with_its_place(content: bytes, expected: str) -> None:
    assert any(expected in text for text in problems(customers=content)), problems(customers=content)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("r1,product,p1,markup,12.34567,2026-01-01,,", "column percent, value '12.34567': has more than 4 decimals"),
        ("r1,product,p1,markup,-100,2026-01-01,,", "column percent, value '-100': must be more than -100"),
        ("r1,product,p1,markup,999900,2026-01-01,,", "column percent, value '999900': must be less than 999900"),
        ('r1,product,p1,markup,"12,5",2026-01-01,,', "column percent, value '12,5': is no number"),
        ("r1,product,p1,markup,1e2,2026-01-01,,", "column percent, value '1e2': is no number"),
        ("r1,product,p1,markup,१२,2026-01-01,,", "column percent, value '१२': is no number"),
        ("r1,product,p1,markup,NaN,2026-01-01,,", "column percent, value 'NaN': is no number"),
        ("r1,product,p1,markup,,2026-01-01,,", "column percent: method markup needs a percent"),
        ("r1,product,p1,srp,10,2026-01-01,,", "column percent, value 10: method srp takes no percent"),
        (
            "r1,account,p1,srp,,2026-01-01,,",
            "column scope, value 'account': must be one of product, product_type, vendor",
        ),
        ("r1,product,p1,srp,,01.02.2026,,", "column valid_from, value '01.02.2026': '01.02.2026' is no day"),
        ("r1,product,p1,srp,,2026-02-30,,", "column valid_from, value '2026-02-30'"),
        ("r1,product,p1,srp,,,,", "column valid_from: must not be empty"),
        (
            "r1,product,p1,srp,,2026-01-02,2026-01-02,",
            "column valid_to, value 2026-01-02: must be later than valid_from",
        ),
        (
            "r1,product,p1,srp,,2026-01-01,,2026-01-01T10:00:00",
            "column recorded_at, value '2026-01-01T10:00:00': has no zone",
        ),
        ("r1,product,p1,srp,,2026-01-01,,yesterday", "column recorded_at, value 'yesterday': is no instant"),
        (",product,p1,srp,,2026-01-01,,", "column rule_id: must not be empty"),
    ],
)
def test_a_wrong_pricing_rule_is_refused_with_row_column_and_value(row: str, expected: str) -> None:
    good = "r0,product,p0,srp,,2026-01-01,,\n"
    text = problem(pricing_rules=RULES_HEADER + good + row + "\n")
    assert text.startswith("reference/pricing_rules.csv, row 2, ")
    assert expected in text


def test_a_currency_that_is_not_in_iso_4217_is_refused() -> None:
    text = problem(customers="customer_id,name,invoice_currency\nk1,Acme,EURO\n")
    assert text == (
        "reference/customers.csv, row 1, column invoice_currency, value 'EURO': 'EURO' is no ISO 4217 currency code"
    )


def test_every_problem_of_every_file_is_named_at_once() -> None:
    found = problems(
        customers="customer_id,name,invoice_currency\nk1,Acme,XXZ\n",
        accounts="source,account_id,customer_id,valid_from\naws,1,k1,never\n",
    )
    assert [text.split(",")[0] for text in found] == ["reference/customers.csv", "reference/accounts.csv"]


def test_one_slip_in_every_row_does_not_bury_the_other_problems() -> None:
    rows = "".join(f"k{number},Acme,E{number}\n" for number in range(1000))
    found = problems(customers="customer_id,name,invoice_currency\n" + rows)
    assert len(found) == 21
    assert found[-1].endswith("and 980 more values like these")
