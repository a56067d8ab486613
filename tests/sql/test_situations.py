"""`sql/pricing/situations.sql`: what decides whose a charge is and which terms hold, once for many charges."""

from datetime import date

import pytest

from tests.sql.inline import Row, instant, make, pick, select, session
from tests.sql.pricing_steps import step_types

CHARGE: Row = {
    "charge_id": "k1",
    "delivery_id": "d1",
    "source": "aws",
    "vendor": "AWS",
    "sub_account_id": "111",
    "vendor_product_id": "SKU1",
    "vendor_product_type": "Compute",
    "term_day": date(2026, 10, 15),
    "known_at": instant("2026-11-05"),
    "seen_at": instant("2026-11-06"),
}
STRETCHES: list[Row] = [
    {"term_day": date(2026, 10, 15), "stretch_day": date(2026, 10, 1)},
    {"term_day": date(2026, 10, 14), "stretch_day": date(2026, 10, 1)},
    {"term_day": date(2026, 10, 16), "stretch_day": date(2026, 10, 16)},
]


def situations(*charges: Row) -> list[Row]:
    connection = session()
    make(connection, "dated_charges", step_types("dated_charges"), *charges, defaults=CHARGE)
    make(connection, "term_stretches", step_types("term_stretches"), *STRETCHES)
    found = select(connection, "pricing/situations")
    assert sorted(pick(found, "situation_id")) == list(range(1, len(found) + 1))
    return found


def test_a_situation_says_what_decides_a_charge_on_the_first_day_of_its_stretch() -> None:
    (row,) = situations({})
    del row["situation_id"]
    wanted = CHARGE | {"is_item": False, "term_day": date(2026, 10, 1)}
    assert row == {name: value for name, value in wanted.items() if name != "charge_id"}


@pytest.mark.parametrize(
    "same",
    [{"charge_id": "k2"}, {"term_day": date(2026, 10, 14)}, {"quantity": 9}, {"currency": "USD"}, {"unit": "GB"}],
    ids=str,
)
def test_charges_that_differ_in_nothing_that_decides_are_in_one_situation(same: Row) -> None:
    assert len(situations({}, same)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"delivery_id": "d2"},
        {"source": "azure"},
        {"vendor": "Microsoft"},
        {"sub_account_id": "112"},
        {"sub_account_id": None},
        {"vendor_product_id": "SKU2"},
        {"vendor_product_id": None},
        {"vendor_product_type": None},
        {"line_number": "1"},
        {"term_day": date(2026, 10, 16)},
        {"known_at": instant("2026-11-04")},
    ],
    ids=str,
)
def test_charges_that_differ_in_something_that_decides_are_in_two(other: Row) -> None:
    assert len(situations({}, other)) == 2


def test_items_of_one_invoice_ordered_in_the_storefront_at_two_instants_are_in_two_situations() -> None:
    items = [{"line_number": number, "known_at": instant(f"2026-10-{number}")} for number in ("10", "11")]
    assert sorted(pick(situations(*items), "known_at")) == [instant("2026-10-10"), instant("2026-10-11")]


def test_the_order_of_charges_changes_no_situation_but_its_number() -> None:
    charges: list[Row] = [{"sub_account_id": account} for account in ("1", "2", None, "3", "1")]

    def facts(rows: list[Row]) -> list[str | None]:
        return sorted(pick(rows, "sub_account_id"), key=str)

    assert facts(situations(*charges)) == facts(situations(*charges[::-1])) == ["1", "2", "3", None]
