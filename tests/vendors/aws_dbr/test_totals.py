"""Totals among the rows are never charges; a file whose charges do not make them up is refused."""

from decimal import Decimal
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.configuration import Source
from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.aws_dbr_totals import settle
from billing_pipeline.vendors.control_rows import RecordSum
from resources.conversion import LandedFile, convert, sha256_of
from resources.session import duckdb_session
from tests.vendors.aws_dbr.rows import NAME, control, convert_dbr, text_of

CHARGES = (
    {"UnBlendedCost": "0.05", "LinkedAccountId": "01", "InvoiceID": "111"},
    {"UnBlendedCost": "0.024", "LinkedAccountId": "02", "InvoiceID": "111"},
    {"UnBlendedCost": "1.10", "LinkedAccountId": "02", "InvoiceID": "222"},
)
TOTALS = (
    control("InvoiceTotal", "0.07", InvoiceID="111"),
    control("InvoiceTotal", "1.1", InvoiceID="222"),
    control("AccountTotal", "0.05", LinkedAccountId="01"),
    control("AccountTotal", "1.124", LinkedAccountId="02"),
    control("Rounding", "-0.004", InvoiceID="111"),
    control("StatementTotal", "1.17"),
)


def refused(folder: Path, *changes: dict[str, str]) -> BadInput:
    """Convert a file that must be refused; nothing may be left behind."""
    with pytest.raises(BadInput) as caught:
        convert_dbr(folder, text_of(*changes))
    assert [path.name for path in folder.iterdir()] == [NAME]
    return caught.value


def test_totals_are_no_charges_and_give_the_vendors_net_total(tmp_path: Path) -> None:
    converted = convert_dbr(tmp_path, text_of(*CHARGES, *TOTALS))
    rows = pl.read_parquet(converted.path)

    (group,) = converted.groups
    assert (converted.row_count, group.row_count, rows.height) == (3, 3, 3)
    assert set(rows["x_line_item_type"]) == {"LineItem"}
    assert (group.total_cost, group.net_total) == (Decimal("1.174"), Decimal("1.17"))


def test_totals_may_stand_anywhere_in_the_file(tmp_path: Path) -> None:
    converted = convert_dbr(tmp_path, text_of(*TOTALS, *CHARGES))

    assert pl.read_parquet(converted.path)["row_number"].to_list() == [7, 8, 9]
    assert converted.groups[0].net_total == Decimal("1.17")


def test_totals_are_gathered_over_many_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.conversion.ROW_GROUP_ROWS", 1)
    monkeypatch.setattr("resources.carriers.CHUNK_BYTES", 300)
    late = {"UnBlendedCost": "0.05", "LinkedAccountId": "03", "InvoiceID": "333"}
    evened = control("Rounding", "-0.05", InvoiceID="333")

    (group,) = convert_dbr(tmp_path, text_of(*TOTALS, *CHARGES, late, evened)).groups

    assert (group.row_count, group.total_cost, group.net_total) == (4, Decimal("1.224"), Decimal("1.17"))


@pytest.mark.parametrize(
    ("index", "change", "reason"),
    [
        (0, {}, "the InvoiceTotal of invoice 111 is 0.08, its rows add up to 0.07 USD (Rounding -0.004 among it)"),
        (1, {}, "the InvoiceTotal of invoice 222 is 1.11, its rows add up to 1.1 USD"),
        (2, {}, "the AccountTotal of account 01 is 0.06, its rows add up to 0.05 USD"),
        (3, {}, "the AccountTotal of account 02 is 1.134, its rows add up to 1.124 USD"),
        (5, {}, "the StatementTotal is 1.18, its rows add up to 1.17 USD (Rounding -0.004 among it)"),
    ],
)
def test_a_total_that_differs_refuses_the_file_with_both_numbers(
    index: int, change: dict[str, str], reason: str, tmp_path: Path
) -> None:
    totals = [dict(total) for total in TOTALS]
    wrong = str(Decimal(totals[index]["UnBlendedCost"]) + Decimal("0.01"))
    totals[index] |= {"UnBlendedCost": wrong, **change}

    error = refused(tmp_path, *CHARGES, *totals)

    assert reason in error.reason
    assert (error.row, error.column) == (len(CHARGES) + index + 1, "UnBlendedCost")


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_lost_charge_refuses_the_file(lost: int, tmp_path: Path) -> None:
    error = refused(tmp_path, *(row for number, row in enumerate(CHARGES) if number != lost), *TOTALS)

    assert "add up to" in error.reason


def test_the_last_decimal_is_a_difference(tmp_path: Path) -> None:
    error = refused(tmp_path, {"UnBlendedCost": "1"}, control("StatementTotal", "1.000000000000000001"))

    assert "is 1.000000000000000001, its rows add up to 1 USD" in error.reason


def test_a_tolerance_of_the_source_is_accepted_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text(text_of({"UnBlendedCost": "1.004"}, control("StatementTotal", "1.00")))
    file = LandedFile(NAME, path, sha256_of(path))

    def net_total(tolerance: str) -> Decimal | None:
        source = Source(id="src", format="aws_dbr", vendor="AWS", currency="USD", tolerance=Decimal(tolerance))
        with duckdb_session(memory_limit="1GB", threads=1) as connection:
            return convert(connection, source, file, file.sha256, tmp_path / "out.parquet").groups[0].net_total

    assert net_total("0.004") == 1
    with pytest.raises(BadInput, match=r"is 1, its rows add up to 1\.004 USD"):
        net_total("0.003")


@pytest.mark.parametrize(
    "total",
    [
        control("StatementTotal", "1.17"),
        control("InvoiceTotal", "0.07", InvoiceID="111"),
        control("AccountTotal", "0.05", LinkedAccountId="01"),
    ],
    ids=lambda row: str(row["RecordType"]),
)
def test_a_total_that_stands_twice_is_refused(total: dict[str, str], tmp_path: Path) -> None:
    assert "stands twice" in refused(tmp_path, *CHARGES, *TOTALS, total).reason


def test_payer_rows_beside_linked_rows_are_not_counted_a_second_time(tmp_path: Path) -> None:
    linked = [{**row, "RecordType": "LinkedLineItem"} for row in CHARGES]
    payer = {"RecordType": "PayerLineItem", "UnBlendedCost": "1.174", "LinkedAccountId": ""}

    for rows in permutations([*linked, payer]):
        converted = convert_dbr(tmp_path, text_of(*rows))
        found = pl.read_parquet(converted.path)
        assert (converted.row_count, found["billed_cost"].sum()) == (3, Decimal("1.174"))
        assert set(found["x_line_item_type"]) == {"LinkedLineItem"}
        (tmp_path / "out.parquet").unlink()


def test_payer_rows_that_are_removed_leave_nothing_but_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resources.conversion.ROW_GROUP_ROWS", 1)
    monkeypatch.setattr("resources.carriers.CHUNK_BYTES", 300)
    linked = [{**row, "RecordType": "LinkedLineItem"} for row in CHARGES]
    convert_dbr(tmp_path, text_of({"RecordType": "PayerLineItem", "UnBlendedCost": "1.174"}, *linked))

    assert sorted(path.name for path in tmp_path.iterdir()) == [NAME, "out.parquet"]


def test_payer_rows_alone_are_the_charges(tmp_path: Path) -> None:
    converted = convert_dbr(tmp_path, text_of(*({**row, "RecordType": "PayerLineItem"} for row in CHARGES)))

    assert converted.groups[0].total_cost == Decimal("1.174")


def test_payer_rows_that_say_something_else_are_a_question_no_program_may_answer(tmp_path: Path) -> None:
    linked = {"RecordType": "LinkedLineItem", "UnBlendedCost": "1"}
    payer = {"RecordType": "PayerLineItem", "UnBlendedCost": "3"}

    error = refused(tmp_path, linked, payer)

    assert error.reason.startswith("PayerLineItem rows of 3 stand beside LinkedLineItem rows of 1 USD")
    assert error.row == 2
    confirmed = convert_dbr(tmp_path, text_of(linked, payer, control("StatementTotal", "1")))
    assert confirmed.groups[0].total_cost == 1
    (tmp_path / "out.parquet").unlink()
    assert "its rows add up to 1 USD" in refused(tmp_path, linked, payer, control("StatementTotal", "4")).reason


def test_a_file_of_totals_alone_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, *TOTALS).reason == "the file has control rows and no charge"


def test_a_rounding_row_without_an_invoice_belongs_to_the_only_one(tmp_path: Path) -> None:
    rows = ({"UnBlendedCost": "1.004"}, control("Rounding", "-0.004"))

    total = control("InvoiceTotal", "1", InvoiceID="Estimated")
    assert convert_dbr(tmp_path, text_of(*rows, total)).groups[0].net_total == 1
    (tmp_path / "out.parquet").unlink()
    other = control("InvoiceTotal", "0", InvoiceID="other")
    assert "of invoice Estimated is 1, its rows add up to 1.004" in refused(tmp_path, *rows, total, other).reason


def test_an_invoice_total_without_a_number_covers_the_file(tmp_path: Path) -> None:
    rows = ({"UnBlendedCost": "1"}, control("InvoiceTotal", "1"))

    assert convert_dbr(tmp_path, text_of(*rows)).groups[0].net_total == 1


def test_without_a_total_of_everything_there_is_no_net_total(tmp_path: Path) -> None:
    some = control("InvoiceTotal", "1.1", InvoiceID="222")

    assert convert_dbr(tmp_path, text_of(*CHARGES, some)).groups[0].net_total is None


def test_each_payer_has_its_own_totals(tmp_path: Path) -> None:
    rows = (
        {"UnBlendedCost": "1", "PayerAccountId": "01"},
        {"UnBlendedCost": "2", "PayerAccountId": "02"},
        control("StatementTotal", "1", PayerAccountId="01"),
        control("StatementTotal", "2", PayerAccountId="02"),
    )

    groups = convert_dbr(tmp_path, text_of(*rows)).groups
    assert [(group.billing_account_id, group.net_total) for group in groups] == [("01", 1), ("02", 2)]
    (tmp_path / "out.parquet").unlink()
    nameless = control("StatementTotal", "3", PayerAccountId="")
    assert "names none of the payer accounts" in refused(tmp_path, *rows, nameless).reason
    assert convert_dbr(tmp_path, text_of({"UnBlendedCost": "3"}, nameless)).groups[0].net_total == 3


amounts = st.decimals(min_value=-1000, max_value=1000, places=18)


@given(st.lists(amounts, min_size=1, max_size=6), st.lists(amounts, max_size=2), amounts)
def test_a_statement_total_is_accepted_only_when_it_is_the_exact_sum(
    costs: list[Decimal], roundings: list[Decimal], off: Decimal
) -> None:
    def sums(total: Decimal) -> list[RecordSum]:
        kinds = [("LineItem", cost) for cost in costs] + [("Rounding", one) for one in roundings]
        rows = [*kinds, ("StatementTotal", total)]
        return [
            RecordSum(kind, "payer", str(number), None, "USD", amount, 1, number)
            for number, (kind, amount) in enumerate(rows)
        ]

    exact = sum([*costs, *roundings], Decimal(0))
    assert settle("f", "Cost", sums(exact), Decimal(0)).net_totals == {("payer", "USD"): exact}
    if off:
        with pytest.raises(BadInput, match="add up to"):
            settle("f", "Cost", sums(exact + off), Decimal(0))
