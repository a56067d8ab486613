"""`sql/pricing/graduated_slices.sql`: a graduated price cut so that one price holds in each slice."""

from decimal import Decimal
from typing import Any

from tests.sql.inline import Row, exact, make, pick, select, session
from tests.sql.pricing_steps import step_types


def slices(*tiers: tuple[str, str | None, str]) -> list[Any]:
    """Return the slices of tiers, the one that counts first given first: from, to, price."""
    connection = session()
    rows: list[Row] = [
        {
            "situation_id": 1,
            "tier_rank": rank,
            "from_quantity": exact(start),
            "to_quantity": None if end is None else exact(end),
            "unit_price": exact(price),
        }
        for rank, (start, end, price) in enumerate(tiers, start=1)
    ]
    make(
        connection, "tier_rows", step_types("tier_rows"), *rows, {"situation_id": 2, "tier_rank": 1, "from_quantity": 0}
    )
    found = [row for row in select(connection, "pricing/graduated_slices") if row["situation_id"] == 1]
    return sorted(pick(found, "slice_from", "slice_to", "unit_price"), key=lambda row: Decimal(row[0]))


def test_tiers_side_by_side_are_slices_and_the_last_has_no_end() -> None:
    assert slices(("0", "10", "5"), ("10", "100", "4"), ("100", None, "3")) == [
        (0, 10, 5),
        (10, 100, 4),
        (100, None, 3),
    ]


def test_beyond_the_last_tier_and_between_two_no_price_holds() -> None:
    assert slices(("0", "10", "5"), ("20", "30", "4")) == [(0, 10, 5), (10, 20, None), (20, 30, 4), (30, None, None)]


def test_before_the_first_tier_no_price_holds() -> None:
    assert slices(("1", None, "5")) == [(0, 1, None), (1, None, 5)]


def test_where_two_tiers_hold_a_quantity_the_one_that_counts_first_does() -> None:
    assert slices(("20", None, "3"), ("0", "10", "5"), ("10", None, "4")) == [(0, 10, 5), (10, 20, 4), (20, None, 3)]
    assert slices(("5", "15", "1"), ("0", None, "2")) == [(0, 5, 2), (5, 15, 1), (15, None, 2)]


def test_bounds_keep_all_their_decimals() -> None:
    smallest = "0.000000000000000001"
    assert slices(("0", smallest, "5"), (smallest, None, smallest)) == [
        (0, exact(smallest), 5),
        (exact(smallest), None, exact(smallest)),
    ]


def test_every_quantity_is_in_exactly_one_slice() -> None:
    found = slices(("3", "9", "1"), ("0", "4", "2"), ("8", None, "3"), ("2", "2.5", "4"))
    assert found[0][0] == 0
    assert [row[1] for row in found] == [row[0] for row in found[1:]] + [None]
