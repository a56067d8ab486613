"""What `billing reconcile` prints, line by line."""

from decimal import Decimal

import pytest

from billing_pipeline.cli.reconciliations import parse_target, three_way_lines
from billing_pipeline.errors import WrongUsage
from tests.sql.inline import Row

ROW: Row = {
    "source": "dist", "billing_account_id": "N1", "currency": "EUR", "bucket": "billed", "amount": Decimal(10),
    "row_count": 2, "vendor_net_total": Decimal(10), "vendor_tax_total": None, "cost_total": Decimal(10),
    "net_difference": Decimal(0), "tax_difference": None, "reason": "none", "is_blocking": False, "accepted_by": None,
}  # fmt: skip


def test_an_account_shows_its_three_ways_and_its_buckets() -> None:
    tax: Row = {**ROW, "bucket": "tax", "amount": Decimal(1), "row_count": 1}
    assert three_way_lines([ROW, tax]) == [
        ["dist", "N1", "EUR", "vendor total without tax", Decimal(10), None],
        ["", "", "", "rows", Decimal(10), 3],
        ["", "", "", "  billed", Decimal(10), 2],
        ["", "", "", "  tax", Decimal(1), 1],
    ]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"reason": "missing_rows", "is_blocking": True}, "difference (missing_rows, blocks invoices)"),
        ({"reason": "accepted", "accepted_by": "ann"}, "difference (accepted, accepted by ann)"),
        ({"reason": "rounding"}, "difference (rounding)"),
    ],
)
def test_a_difference_shows_its_reason_and_what_it_does(facts: Row, words: str) -> None:
    lines = three_way_lines([{**ROW, "net_difference": Decimal(2), **facts}])
    assert [line[3:5] for line in lines if line[4] == 2] == [[words, Decimal(2)]]


def test_many_invoices_that_agree_are_one_and_those_that_do_not_stand_alone() -> None:
    agreeing: list[Row] = [{**ROW, "billing_account_id": f"N{number}"} for number in range(5)]
    other: Row = {**ROW, "billing_account_id": "N9", "reason": "missing_rows", "net_difference": Decimal(2)}
    lines = three_way_lines([*agreeing, other])
    assert [line[1] for line in lines if line[1]] == ["5 accounts without difference", "N9"]
    assert [line[3:] for line in lines][:3] == [
        ["vendor total without tax", Decimal(50), None],
        ["rows", Decimal(50), 10],
        ["  billed", Decimal(50), 10],
    ]


def test_an_account_may_hold_slashes_and_a_source_must_be_named() -> None:
    assert parse_target("aws") == ("aws", None)
    assert parse_target("dist/2026/N-1") == ("dist", "2026/N-1")
    with pytest.raises(WrongUsage):
        parse_target("/N-1")
