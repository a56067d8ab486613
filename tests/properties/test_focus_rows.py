"""Whatever the charges, taxes, credits and the payable total of a document: its rows of FOCUS add up to it exactly."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.focus_rows import own_charges

PRECISE = st.integers(-(10**30), 10**30).map(lambda units: Decimal(units).scaleb(-24))
PAYABLE = st.integers(-(10**12), 10**12).map(lambda units: Decimal(units).scaleb(-4))


@settings(max_examples=25, deadline=None)
@given(
    charges=st.lists(PRECISE, max_size=5),
    lines=st.lists(PRECISE, max_size=3),
    extras=st.lists(PAYABLE, max_size=3),
    total=PAYABLE,
)
def test_the_rows_of_a_document_add_up_to_its_payable_total(
    charges: list[Decimal], lines: list[Decimal], extras: list[Decimal], total: Decimal
) -> None:
    found = own_charges(
        tuple({"charge_id": f"use-{n}", "amount_precise": amount} for n, amount in enumerate(charges)),
        document_lines=(
            {},
            *(
                {"line_number": n, "line_kind": "support", "charge_count": 0, "amount_precise": amount}
                for n, amount in enumerate(lines, 2)
            ),
        ),
        document_extras=tuple(
            {"position": n, "charge_category": "Tax", "line_kind": "tax", "service_name": "Tax", "amount": amount}
            for n, amount in enumerate(extras)
        ),
        documents=({"total": total},),
    )
    assert sum((row["billed_cost"] for row in found), Decimal(0)) == total
    stated = [row for row in found if row["x_line_kind"] != "rounding"]
    assert len(stated) == len(charges) + len(lines) + len(extras)
    exact = sum(charges, Decimal(0)) + sum(lines, Decimal(0)) + sum(extras, Decimal(0))
    # Each row is its exact amount, to the 18 decimals that a reader of FOCUS takes.
    rest = abs(sum((row["billed_cost"] for row in stated), Decimal(0)) - exact)
    assert rest <= len(stated) * Decimal("0.0000000000000000005")
