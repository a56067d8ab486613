"""`sql/invoicing/blocked_customers.sql`: who must get no draft yet, and why."""

import pytest

from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from tests.sql.inline import Row, make, pick, select, session, table_types

DIFFERENCE_TYPES = {
    "source": "varchar",
    "billing_account_id": "varchar",
    "delivery_id": "varchar",
    "currency": "varchar",
    "detail": "varchar",
}
HOLDER_TYPES = {"source": "varchar", "customer_id": "varchar"}
ITEM: Row = {
    "customer_id": "c1",
    "source": "aws",
    "delivery_id": "d1",
    "billing_period": "2026-10",
    "product_id": "p1",
    "product_name": "Machines",
    "bucket": "billed",
    "is_final": True,
}
UNPRICED: Row = {"bucket": "unpriced", "reason": "no pricing rule"}
ESTIMATE: Row = {"bucket": "not_yet_final", "is_final": False}
DIFFERENCE: Row = {
    "source": "aws",
    "billing_account_id": "payer",
    "delivery_id": "d1",
    "currency": "EUR",
    "detail": "missing_rows 2 EUR",
}


def blocks(
    *items: Row, differences: tuple[Row, ...] = (), holders: tuple[Row, ...] = (), override: bool = False
) -> list[Row]:
    connection = session()
    make(connection, "period_items", table_types(PRICED_LINE_ITEMS), *items, defaults=ITEM)
    make(connection, "differences", DIFFERENCE_TYPES, *differences)
    make(connection, "account_holders", HOLDER_TYPES, *holders)
    return select(connection, "invoicing/blocked_customers", {"override_unsettled": override})


def test_a_customer_whose_charges_are_billed_is_not_blocked() -> None:
    assert blocks({}, {"bucket": "tax"}, {"bucket": "marketplace_fee"}, {"bucket": "excluded_by_rule"}) == []


def test_an_unpriced_charge_blocks_its_customer_with_product_count_and_reason() -> None:
    (block,) = blocks({}, UNPRICED, UNPRICED, {"customer_id": "c2"})
    assert (block["customer_id"], block["kind"]) == ("c1", "unpriced")
    assert block["reason"] == "2 charge(s) of Machines from aws have no price: no pricing rule"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"product_name": None}, "of p1 from"),
        ({"product_name": None, "product_id": None}, "of a product without name from"),
    ],
    ids=str,
)
def test_an_unpriced_charge_without_product_name_has_a_reason_nevertheless(names: Row, told: str) -> None:
    (block,) = blocks(UNPRICED | names)
    assert told in block["reason"]


def test_each_product_and_reason_is_told_once() -> None:
    found = blocks(
        UNPRICED, UNPRICED | {"product_name": "Discs"}, UNPRICED | {"reason": "no SRP"}, UNPRICED | {"source": "azure"}
    )
    assert len(found) == 4


def test_estimates_block_a_customer_until_an_operator_overrides_it() -> None:
    (block,) = blocks(ESTIMATE, {})
    assert (block["customer_id"], block["kind"]) == ("c1", "unsettled")
    assert block["reason"].startswith("aws is not final for 2026-10: 1 charge(s) are estimates")
    assert blocks(ESTIMATE, override=True) == []


def test_an_estimated_marketplace_fee_is_an_estimate_too() -> None:
    fee: Row = {"bucket": "marketplace_fee", "is_final": False}
    assert pick(blocks(fee), "kind") == ["unsettled"]
    assert blocks(fee, override=True) == []
    assert blocks(fee | {"is_final": True}) == []


def test_an_estimated_tax_row_that_no_invoice_holds_blocks_nobody() -> None:
    assert blocks({"bucket": "tax", "is_final": False}) == []


def test_a_difference_blocks_everyone_with_charges_of_the_source_and_nobody_else() -> None:
    other: Row = {"customer_id": "c3", "delivery_id": "d3", "source": "azure"}
    found = blocks({}, {}, {"customer_id": "c2", "delivery_id": "d2"}, other, differences=(DIFFERENCE,))
    assert pick(found, "customer_id", "kind") == [("c1", "difference"), ("c2", "difference")]
    assert found[0]["reason"] == (
        "the total of aws payer (EUR) is not what its rows add up to: missing_rows 2 EUR; get a new delivery, or accept"
        " it: `billing reconcile --help`"
    )


def test_rows_that_are_missing_may_belong_to_any_customer_who_has_an_account_there() -> None:
    holders: tuple[Row, ...] = ({"source": "aws", "customer_id": "c8"}, {"source": "azure", "customer_id": "c9"})
    assert pick(blocks(differences=(DIFFERENCE,), holders=holders), "customer_id") == ["c8"]
    assert blocks(holders=holders) == []


def test_differences_in_two_currencies_are_two_reasons_and_a_difference_in_two_deliveries_one() -> None:
    assert len(blocks({}, differences=(DIFFERENCE, DIFFERENCE | {"currency": "USD"}))) == 2
    assert len(blocks({}, differences=(DIFFERENCE, DIFFERENCE | {"delivery_id": "d2"}))) == 1


def test_no_override_lifts_a_missing_price_or_a_difference() -> None:
    found = blocks(UNPRICED, differences=(DIFFERENCE,), override=True)
    assert pick(found, "kind") == ["difference", "unpriced"]


def test_charges_of_nobody_block_nobody() -> None:
    unmapped: Row = {"customer_id": None, "bucket": "unmapped_account", "reason": "account 1"}
    assert blocks(unmapped, UNPRICED | {"customer_id": None}, differences=(DIFFERENCE,)) == []
