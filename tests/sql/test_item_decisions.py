"""`sql/charges/item_decisions.sql`: the rule that keeps an item out of the customer charges, if any."""

from datetime import date
from decimal import Decimal

import pytest

from billing_pipeline.schemas.customer_charges import EXCLUDED_CHARGES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from tests.sql.inline import Row, make, pick, select, session, table_types

RULES = {"charges_start_on": date(2026, 3, 1), "standard_edition_since": date(2026, 2, 1)}
ITEM: Row = {
    "line_item_id": "line-1",
    "line_number": "1",
    "invoice_number": "INV-1",
    "invoice_date": date(2026, 10, 5),
    "invoice_status": "issued",
    "customer_id": "c1",
    "total_cost": Decimal(10),
    "total_sell": Decimal(15),
}


def decisions(*items: Row) -> list[Row]:
    connection = session()
    make(connection, "line_items", table_types(PRICED_LINE_ITEMS), *items, defaults=ITEM)
    return select(connection, "charges/item_decisions", RULES)


@pytest.mark.parametrize("channel", ["reseller_storefront", "distributor_storefront", "distributor_bss"])
@pytest.mark.parametrize("origin", ["billing_service", "manual", "renewal", "api"])
def test_an_issued_item_is_let_in_whatever_its_channel_and_origin(channel: str, origin: str) -> None:
    assert pick(decisions({"order_channel": channel, "origin": origin}), "exclusion_reason") == [None]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"invoice_status": "pending"}, "invoice_pending"),
        ({"invoice_status": "proforma"}, "invoice_proforma"),
        ({"invoice_date": date(2026, 1, 31)}, "before_standard_edition"),
        ({"invoice_date": date(2026, 2, 1)}, "before_charges_start"),
        ({"invoice_date": date(2026, 2, 28)}, "before_charges_start"),
        ({"invoice_date": date(2026, 3, 1)}, None),
        ({"customer_id": None}, "unmapped_customer"),
        ({"total_sell": None}, "no_markup_and_no_srp"),
        ({"total_sell": Decimal(0)}, None),
    ],
    ids=str,
)
def test_each_rule_keeps_out_what_it_names(item: Row, reason: str | None) -> None:
    assert pick(decisions(item), "exclusion_reason") == [reason]


def test_of_several_rules_the_first_names_the_item() -> None:
    item: Row = {}
    for change, reason in (
        ({"total_sell": None}, "no_markup_and_no_srp"),
        ({"customer_id": None}, "unmapped_customer"),
        ({"invoice_date": date(2026, 2, 1)}, "before_charges_start"),
        ({"invoice_date": date(2026, 1, 1)}, "before_standard_edition"),
        ({"invoice_status": "proforma"}, "invoice_proforma"),
    ):
        item |= change
        assert pick(decisions(item), "exclusion_reason") == [reason]
    assert pick(decisions(item | {"invoice_status": "pending"}), "exclusion_reason") == ["invoice_pending"]


def test_every_reason_is_one_of_the_contract() -> None:
    items: list[Row] = [
        {"invoice_status": "pending"},
        {"invoice_status": "proforma"},
        {"invoice_date": date(2026, 1, 1)},
        {"invoice_date": date(2026, 2, 1)},
        {"customer_id": None},
        {"total_sell": None},
    ]
    (reason,) = (column for column in EXCLUDED_CHARGES.columns if column.name == "reason")
    assert set(pick(decisions(*items), "exclusion_reason")) == set(reason.values)


def test_charges_of_usage_feeds_are_not_considered() -> None:
    assert decisions({"line_number": None}) == []


def test_no_item_is_dropped_or_repeated() -> None:
    items: list[Row] = [
        {"line_item_id": f"line-{number}", "total_sell": None if number % 2 else 1} for number in range(6)
    ]
    assert len(decisions(*items)) == 6
