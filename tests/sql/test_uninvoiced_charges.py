"""`sql/marts/uninvoiced_charges.sql`: charges of customers whom the last run of drafts refused."""

from decimal import Decimal

import pytest

from tests.sql.inline import Row, pick, select
from tests.sql.leak_findings import finding_session

ITEM: Row = {
    "customer_id": "c1",
    "source": "aws",
    "billing_period": "2026-10",
    "bucket": "billed",
    "currency": "EUR",
    "total_cost": Decimal(10),
}
ERROR: Row = {"reason": "currency EUR is not enabled"}


def uninvoiced(*items: Row, error: Row | None = ERROR, document: Row | None = None) -> list[Row]:
    return select(finding_session(*items, error=error, document=document), "marts/uninvoiced_charges")


def test_the_cost_of_a_customer_without_document_is_lost_with_the_reason() -> None:
    assert pick(uninvoiced(ITEM), "kind", "customer_id", "source", "amount", "detail") == [
        ("not_invoiced", "c1", "aws", 10, "currency EUR is not enabled")
    ]


def test_before_drafts_were_made_nothing_is_lost() -> None:
    assert uninvoiced(ITEM, error=None) == []


@pytest.mark.parametrize("other", [{"customer_id": "c2"}, {"billing_period": "2026-11"}], ids=str)
def test_an_error_of_another_customer_or_month_is_not_this_ones(other: Row) -> None:
    assert uninvoiced(ITEM | other) == []


@pytest.mark.parametrize("bucket", ["unpriced", "marketplace_fee", "tax", "excluded_by_rule"])
def test_what_has_a_reason_of_its_own_is_not_counted_twice(bucket: str) -> None:
    assert uninvoiced(ITEM | {"bucket": bucket}) == []


def test_a_customer_who_waits_for_final_figures_has_lost_nothing_yet() -> None:
    assert uninvoiced(ITEM, ITEM | {"source": "gcp", "bucket": "not_yet_final"}) == []


def test_a_customer_with_a_document_pays() -> None:
    assert uninvoiced(ITEM, document={}) == []
    assert len(uninvoiced(ITEM, document={"status": "void"})) == 1
    assert len(uninvoiced(ITEM, document={"document_type": "credit_note"})) == 1
