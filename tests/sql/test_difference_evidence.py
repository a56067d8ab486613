"""The selects of `sql/reconciliation/` that look through the rows behind an open difference."""

from decimal import Decimal

from tests.sql.inline import Row, exact, make, pick, select, session

GAP_TYPES = {
    "gap_number": "integer", "source": "varchar", "billing_account_id": "varchar", "billing_period": "varchar",
    "currency": "varchar", "invoice_id": "varchar", "is_whole": "boolean", "is_tax": "boolean",
    "amount": "decimal(38, 18)",
}  # fmt: skip
ROW_TYPES = {
    "source": "varchar", "billing_account_id": "varchar", "billing_period": "varchar", "billing_currency": "varchar",
    "invoice_id": "varchar", "x_file_name": "varchar", "row_number": "bigint", "net_cost": "decimal(38, 18)",
    "tax_rows": "decimal(38, 18)", "tax_beside": "decimal(38, 18)", "tax_cost": "decimal(38, 18)",
    "x_expected_cost": "decimal(38, 18)", "twin_key": "ubigint",
}  # fmt: skip
GAP: Row = {
    "gap_number": 0, "source": "cloud", "billing_account_id": "a", "billing_period": "2026-10", "currency": "EUR",
    "is_whole": True, "is_tax": False, "amount": Decimal(-5),
}  # fmt: skip
ROW: Row = {
    "source": "cloud", "billing_account_id": "a", "billing_period": "2026-10", "billing_currency": "EUR",
    "invoice_id": "V1", "x_file_name": "f.csv", "net_cost": Decimal(5), "tax_rows": Decimal(0),
    "tax_beside": Decimal(0), "tax_cost": Decimal(0),
}  # fmt: skip


def look(name: str, *rows: Row, gaps: tuple[Row, ...] = ({},)) -> list[Row]:
    connection = session()
    make(connection, "gaps", GAP_TYPES, *gaps, defaults=GAP)
    numbered = [{"row_number": number, "twin_key": number, **row} for number, row in enumerate(rows, start=1)]
    make(connection, "compared_rows", ROW_TYPES, *numbered, defaults=ROW)
    return select(connection, f"reconciliation/{name}")


def test_rows_add_up_by_invoice_with_tax_apart() -> None:
    taxed: Row = {"net_cost": Decimal(0), "tax_rows": Decimal(2), "tax_beside": exact("0.5")}
    found = look("invoice_sums", {}, taxed, {"invoice_id": None})
    assert sorted(pick(found, "invoice_id", "net", "tax_rows", "tax_beside"), key=str) == [
        ("V1", 5, 2, exact("0.5")), (None, 5, 0, 0),
    ]  # fmt: skip


def test_of_identical_rows_all_after_the_first_are_too_much_and_the_second_is_named() -> None:
    (found,) = look("repeated_rows", {"twin_key": 7}, {"twin_key": 7}, {"twin_key": 7}, {})
    assert (found["amount"], found["every_amount"], found["row_number"], found["cost"]) == (10, 10, 2, 5)


def test_groups_that_may_be_the_difference_come_each_and_all_together() -> None:
    nine: Row = {"twin_key": 9, "net_cost": Decimal(9)}
    found = look("repeated_rows", {"twin_key": 7}, {"twin_key": 7}, nine, nine)
    assert pick(found, "amount", "every_amount") == [(5, 14)]


def test_rows_of_another_invoice_account_or_month_are_no_evidence() -> None:
    gap: Row = {"is_whole": False, "invoice_id": "V1"}
    for other in ({"invoice_id": "V2"}, {"billing_account_id": "b"}, {"billing_period": "2026-09"}):
        assert look("repeated_rows", other | {"twin_key": 7}, other | {"twin_key": 7}, gaps=(gap,)) == []
    assert len(look("repeated_rows", {"twin_key": 7}, {"twin_key": 7}, gaps=(gap,))) == 1


def test_a_difference_of_tax_looks_at_the_tax_of_the_rows() -> None:
    taxed: Row = {"twin_key": 7, "tax_cost": exact("1.9")}
    (found,) = look("repeated_rows", taxed, taxed, gaps=({"is_tax": True},))
    assert found["amount"] == exact("1.9")
    assert look("mispriced_rows", {"x_expected_cost": Decimal(1)}, gaps=({"is_tax": True},)) == []


def test_rows_at_another_rate_are_added_up_expected_less_billed() -> None:
    (found,) = look("mispriced_rows", {}, {"x_expected_cost": Decimal(4)}, {"x_expected_cost": exact("4.5")})
    assert (found["amount"], found["row_number"], found["cost"]) == (exact("-1.5"), 2, 5)


def test_a_row_that_costs_what_is_too_much_comes_before_dearer_ones() -> None:
    dear: Row = {"net_cost": Decimal(100)}
    found = look("suspect_rows", dear, {}, dear, dear, {"net_cost": Decimal(0)})
    assert pick(found, "row_number", "position") == [(2, 1), (1, 2), (3, 3)]
