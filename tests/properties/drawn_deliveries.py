"""Deliveries that Hypothesis draws: an account's month, what a vendor makes of it later, and distributors' invoices."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from tests.properties.billing_world import ACCOUNTS
from tests.properties.vendor_months import Charge, Delivery

MONTHS = ("2026-09", "2026-10")
SLOTS = tuple((source, "payer", month) for source in ("aws", "cloud") for month in MONTHS)
INVOICE_NUMBERS = ("I1", "I2", "I3")
_NATURES = ("usage",) * 8 + ("tax", "marketplace_fee", "free_tier", "rounding", "credit", "partner_discount")

COSTS = st.one_of(
    st.sampled_from(["0", "0.005", "-0.005", "10", "100.1", "-33.333333333333333333", "0.000000000000000001"]).map(
        Decimal
    ),
    st.decimals(-1000, 10000, allow_nan=False, allow_infinity=False, places=18),
)
# As a distributor's file has them: at most nine decimals, never negative.
UNIT_COSTS = st.decimals(0, 1000, allow_nan=False, allow_infinity=False, places=9)
QUANTITIES = st.one_of(st.just(Decimal(1)), st.decimals(0, 100, allow_nan=False, allow_infinity=False, places=9))
CURRENCIES = st.sampled_from(["EUR", "USD", "JPY"])


@st.composite
def charges(draw: st.DrawFn, month: str) -> Charge:
    """Draw a row of usage."""
    return Charge(
        account=draw(st.sampled_from(sorted(ACCOUNTS))),
        sku=draw(st.sampled_from(["s1", "s2"])),
        day=date.fromisoformat(f"{month}-{draw(st.sampled_from(['01', '15']))}"),
        cost=draw(COSTS),
        quantity=draw(QUANTITIES),
        currency=draw(CURRENCIES),
        nature=draw(st.sampled_from(_NATURES)),
    )


@st.composite
def usage(draw: st.DrawFn, slot: tuple[str, str, str], at: datetime, final: st.SearchStrategy[bool]) -> Delivery:
    """Draw the first version of an account's month."""
    rows = draw(st.lists(charges(slot[2]), min_size=2, max_size=6))
    return Delivery(*slot, tuple(rows), at, draw(final))


@st.composite
def restatement(draw: st.DrawFn, before: Delivery, at: datetime, final: st.SearchStrategy[bool]) -> Delivery:
    """Draw what a vendor makes of a month that was delivered: late, withdrawn, changed, corrected or no other rows."""
    rows = list(before.charges)
    for _ in range(draw(st.sampled_from([2, 1, 3, 0]))):
        place = draw(st.integers(0, len(rows) - 1))
        match draw(st.sampled_from(["late", "withdrawn", "cost", "quantity", "correction"])):
            case "late":
                rows.append(draw(charges(before.period)))
            case "withdrawn" if len(rows) > 1:
                del rows[place]
            case "cost":
                rows[place] = replace(rows[place], cost=draw(COSTS))
            case "quantity":
                rows[place] = replace(rows[place], quantity=draw(QUANTITIES))
            case "correction":
                rows.append(replace(rows[place], cost=-rows[place].cost))
            case _:
                pass
    return replace(before, charges=tuple(rows), received_at=at, is_final=draw(final))


@st.composite
def invoice(draw: st.DrawFn, number: str, at: datetime, status: st.SearchStrategy[str]) -> Delivery:
    """Draw the first version of a distributor's invoice of up to three items."""
    month = draw(st.sampled_from(MONTHS))
    items = [
        Charge(
            account=draw(st.sampled_from(["a1", "a2", "a3"])),
            sku=draw(st.sampled_from(["s1", "s2"])),
            day=date.fromisoformat(f"{month}-12"),
            cost=draw(UNIT_COSTS),
            quantity=draw(QUANTITIES),
            currency=draw(CURRENCIES),
            line=str(line),
        )
        for line in range(1, draw(st.integers(1, 3)) + 1)
    ]
    return Delivery("dist", number, month, tuple(items), at, status=draw(status))


@st.composite
def reissue(draw: st.DrawFn, before: Delivery, at: datetime, status: st.SearchStrategy[str]) -> Delivery:
    """Draw another version of a distributor's invoice: other amounts, fewer items, another month."""
    items = list(before.charges)
    if len(items) > 1 and draw(st.booleans()):
        del items[draw(st.integers(0, len(items) - 1))]
    month = draw(st.sampled_from(MONTHS)) if items[0].credits is None else before.period
    day = date.fromisoformat(f"{month}-12")
    if items[0].credits is None and draw(st.booleans()):
        items[0] = replace(items[0], cost=draw(UNIT_COSTS), quantity=draw(QUANTITIES))
    items = [replace(item, day=day) for item in items]
    return replace(before, period=month, charges=tuple(items), received_at=at, status=draw(status))


@st.composite
def credit_note(draw: st.DrawFn, debits: Sequence[Delivery], at: datetime) -> Delivery:
    """Draw a distributor's credit note to an item of one of its invoices, for all of it or a part."""
    debit = draw(st.sampled_from(debits))
    item = draw(st.sampled_from(debit.charges))
    month = draw(st.sampled_from(MONTHS))
    credit = replace(
        item,
        day=date.fromisoformat(f"{month}-20"),
        quantity=draw(st.sampled_from([item.quantity, Decimal(0), Decimal(1)])),
        line="1",
        credits=(debit.account, str(item.line)),
    )
    number = f"CN-{debit.account}-{at:%m%d}"
    return Delivery("dist", number, month, (credit,), at, status="issued")
