"""`sql/charges/charge_decisions.sql`: the rule that keeps a charge out of the customer charges, if any."""

from datetime import date
from decimal import Decimal

import pytest

from billing_pipeline.schemas.customer_charges import EXCLUSION_REASONS
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.vendor_charges import CHARGE_NATURES
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from tests.sql.inline import Row, make, pick, select, session, table_types

RULES = {"charges_start_on": "date", "standard_edition_since": "date", "arrived_on": "date"}
DATES: Row = {
    "charges_start_on": date(2026, 3, 1),
    "standard_edition_since": date(2026, 2, 1),
    "arrived_on": date(2026, 11, 5),
}
ITEM: Row = {
    "line_item_id": "line-1",
    "charge_id": "k1",
    "line_number": "1",
    "invoice_number": "INV-1",
    "invoice_date": date(2026, 10, 5),
    "invoice_status": "issued",
    "charge_nature": "usage",
    "is_final": True,
    "bucket": "billed",
    "customer_id": "c1",
    "total_cost": Decimal(10),
    "total_sell": Decimal(15),
}
USAGE: Row = ITEM | {
    "source": "aws",
    "billing_account_id": "payer",
    "billing_period": "2026-10",
    "currency": "USD",
    "line_number": None,
    "invoice_number": "V-1",
    "invoice_date": None,
    "invoice_status": None,
}
TOTAL: Row = {
    "source": "aws",
    "billing_account_id": "payer",
    "billing_period": "2026-10",
    "invoice_id": "V-1",
    "invoice_date": date(2026, 11, 3),
    "currency": "USD",
}


def decisions(*charges: Row, dates: Row | None = None, totals: tuple[Row, ...] = (), usage: bool = False) -> list[Row]:
    connection = session()
    make(connection, "line_items", table_types(PRICED_LINE_ITEMS), *charges, defaults=USAGE if usage else ITEM)
    make(connection, "charge_rules", RULES, DATES | (dates or {}))
    make(connection, "vendor_totals", table_types(VENDOR_TOTALS), *totals, defaults=TOTAL)
    return select(connection, "charges/charge_decisions")


@pytest.mark.parametrize("channel", ["reseller_storefront", "distributor_storefront", "distributor_bss"])
@pytest.mark.parametrize("origin", ["billing_service", "manual", "renewal", "api"])
def test_an_issued_item_is_let_in_whatever_its_channel_and_origin(channel: str, origin: str) -> None:
    assert pick(decisions({"order_channel": channel, "origin": origin}), "exclusion_reason") == [None]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"invoice_status": "pending", "bucket": "excluded_by_rule", "is_final": False}, "invoice_pending"),
        ({"invoice_status": "proforma", "bucket": "excluded_by_rule", "is_final": False}, "invoice_proforma"),
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
def test_each_rule_keeps_out_the_items_it_names(item: Row, reason: str | None) -> None:
    assert pick(decisions(item), "exclusion_reason") == [reason]


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        ({}, None),
        ({"bucket": "excluded_by_rule", "reason": "invoiced through dist"}, "invoiced_through_distributor"),
        ({"is_final": False, "bucket": "not_yet_final"}, "vendor_invoice_not_issued"),
        ({"customer_id": None, "bucket": "unmapped_account"}, "unmapped_customer"),
        ({"total_sell": None, "bucket": "unpriced"}, "no_markup_and_no_srp"),
        *(({"charge_nature": nature, "bucket": nature}, nature) for nature in CHARGE_NATURES if nature != "usage"),
    ],
    ids=str,
)
def test_each_rule_keeps_out_the_usage_it_names(usage: Row, reason: str | None) -> None:
    assert pick(decisions(usage, usage=True), "exclusion_reason") == [reason]


def test_of_several_rules_the_first_names_the_item() -> None:
    item: Row = {}
    for change, reason in (
        ({"total_sell": None}, "no_markup_and_no_srp"),
        ({"customer_id": None}, "unmapped_customer"),
        ({"invoice_date": date(2026, 2, 1)}, "before_charges_start"),
        ({"invoice_date": date(2026, 1, 1)}, "before_standard_edition"),
        ({"invoice_status": "proforma"}, "invoice_proforma"),
        ({"invoice_status": "pending"}, "invoice_pending"),
    ):
        item |= change
        assert pick(decisions(item), "exclusion_reason") == [reason]


def test_of_several_rules_the_first_names_the_usage() -> None:
    usage: Row = {}
    for change, reason in (
        ({"total_sell": None}, "no_markup_and_no_srp"),
        ({"customer_id": None}, "unmapped_customer"),
        ({"invoice_date": date(2026, 2, 1)}, "before_charges_start"),
        ({"invoice_date": date(2026, 1, 1)}, "before_standard_edition"),
        ({"is_final": False}, "vendor_invoice_not_issued"),
        ({"charge_nature": "tax"}, "tax"),
        ({"bucket": "excluded_by_rule"}, "invoiced_through_distributor"),
    ):
        usage |= change
        assert pick(decisions(usage, usage=True), "exclusion_reason") == [reason]


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"invoice_status": "pending", "reason": "the distributor's invoice is pending"}, "the distributor's invoice"),
        ({"total_sell": None, "reason": "no term for it"}, "no term for it"),
        ({"customer_id": None, "reason": "account 7 belongs to no customer"}, "account 7"),
        ({"invoice_date": date(2026, 1, 5)}, "generated on 2026-01-05, before the upgrade on 2026-02-01"),
        ({"invoice_date": date(2026, 2, 5)}, "generated on 2026-02-05, before the start on 2026-03-01"),
    ],
    ids=str,
)
def test_what_is_left_out_says_why_in_words(change: Row, detail: str) -> None:
    [row] = decisions(change)
    assert detail in row["exclusion_detail"]


def test_estimated_usage_of_an_unknown_account_is_left_out_because_the_vendor_has_not_invoiced_it() -> None:
    [row] = decisions(
        {"is_final": False, "customer_id": None, "reason": "account 7 belongs to no customer"}, usage=True
    )
    assert row["exclusion_detail"] == "the vendor's delivery is not final"


def test_an_invoice_without_a_date_was_generated_on_the_day_it_arrived() -> None:
    for arrived_on, reason in (
        (date(2026, 1, 31), "before_standard_edition"),
        (date(2026, 2, 28), "before_charges_start"),
        (date(2026, 3, 1), None),
    ):
        [row] = decisions({}, dates={"arrived_on": arrived_on}, usage=True)
        assert (row["exclusion_reason"], row["invoice_date"]) == (reason, None)


def test_the_date_of_a_vendors_invoice_is_that_of_its_totals() -> None:
    [row] = decisions({}, totals=({"invoice_date": date(2026, 1, 15)},), usage=True)
    assert (row["invoice_date"], row["exclusion_reason"]) == (date(2026, 1, 15), "before_standard_edition")


@pytest.mark.parametrize(
    "other",
    [
        {"source": "gcp"},
        {"billing_account_id": "other"},
        {"billing_period": "2026-09"},
        {"invoice_id": "V-2"},
        {"invoice_id": None},
        {"currency": "EUR"},
    ],
    ids=str,
)
def test_totals_of_another_invoice_date_nothing(other: Row) -> None:
    assert pick(decisions({}, totals=(other,), usage=True), "invoice_date") == [None]


def test_the_date_on_a_distributors_invoice_is_its_own() -> None:
    total = TOTAL | {"source": "dist"}
    assert pick(decisions({"source": "dist"}, totals=(total,)), "invoice_date") == [date(2026, 10, 5)]


def test_every_reason_is_one_of_the_contract_and_every_one_can_be_reached() -> None:
    items: list[Row] = [
        {"invoice_status": "pending"},
        {"invoice_status": "proforma"},
        {"invoice_date": date(2026, 1, 1)},
        {"invoice_date": date(2026, 2, 1)},
        {"customer_id": None},
        {"total_sell": None},
    ]
    usage: list[Row] = [
        {"bucket": "excluded_by_rule"},
        {"is_final": False},
        *({"charge_nature": nature} for nature in CHARGE_NATURES if nature != "usage"),
    ]
    found = pick(decisions(*items), "exclusion_reason") + pick(decisions(*usage, usage=True), "exclusion_reason")
    assert set(found) == set(EXCLUSION_REASONS)


def test_no_charge_is_dropped_or_repeated() -> None:
    charges = [{"charge_id": f"k{number}", "line_number": str(number) if number % 2 else None} for number in range(6)]
    totals = ({}, {"invoice_id": "V-2"}, {"invoice_id": None}, {"currency": "EUR"})
    rows = decisions(*charges, totals=totals, usage=True)
    assert sorted(pick(rows, "charge_id")) == [f"k{number}" for number in range(6)]
