"""The state of a month follows from what is there, whatever that is: drawn facts against a few lines of Python."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.month_status import OCTOBER, status

ACCOUNTS = st.sampled_from("ABC")
Facts = dict[str, Any]
STATES = ["open", "collecting", "settled", "locked"]


def rows_of(account: st.SearchStrategy[str], **cells: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Facts]]:
    """Rows of at most one for each account."""
    row = st.fixed_dictionaries({"billing_account_id": account, **cells})
    return st.lists(row, max_size=3, unique_by=lambda one: one["billing_account_id"])


MONTHS = st.fixed_dictionaries(
    {
        "deliveries": rows_of(
            ACCOUNTS,
            is_final=st.booleans(),
            is_current=st.sampled_from([True, True, False]),
            invoice_status=st.sampled_from([None, None, "pending", "proforma", "issued"]),
        ),
        "before": st.sets(ACCOUNTS),
        "totals": rows_of(ACCOUNTS, net_total=st.sampled_from([Decimal(0), Decimal(5)]), is_final=st.booleans()),
        "differences": rows_of(ACCOUNTS, is_blocking=st.sampled_from([False, False, True])),
        "files": st.sets(st.sampled_from(["incomplete", "waiting", "quarantined"])),
        "has_accounts": st.booleans(),
        "is_invoiced": st.sampled_from([False, False, True]),
        "as_of_day": st.dates(date(2026, 10, 1), date(2026, 12, 31)),
    }
)


def published(facts: Facts) -> list[Facts]:
    return status(
        *({"delivery_id": one["billing_account_id"], **one} for one in facts["deliveries"]),
        months=({"has_accounts": facts["has_accounts"]},),
        accounts=tuple({"billing_account_id": one, "billing_period": "2026-09"} for one in sorted(facts["before"])),
        files=tuple({"kind": kind} for kind in sorted(facts["files"])),
        differences=tuple(facts["differences"]),
        totals=tuple(facts["totals"]),
        invoiced=(OCTOBER,) if facts["is_invoiced"] else (),
        as_of_day=facts["as_of_day"],
    )


def expected(facts: Facts) -> str:
    """The state as the specification says it."""
    if facts["is_invoiced"]:
        return "locked"
    if facts["as_of_day"] < date(2026, 11, 1):
        return "open"
    current = [one for one in facts["deliveries"] if one["is_current"]]
    nothing = {one["billing_account_id"] for one in facts["totals"] if one["is_final"] and one["net_total"] == 0}
    is_nothing_charged = bool(facts["totals"]) and len(nothing) == len(facts["totals"])
    is_in = bool(current) or is_nothing_charged
    is_final = all(one["is_final"] or one["invoice_status"] == "proforma" for one in current)
    delivered = {one["billing_account_id"] for one in current}
    is_account_missing = facts["has_accounts"] and bool(current) and bool(facts["before"] - delivered - nothing)
    is_explained = not any(one["is_blocking"] for one in facts["differences"])
    is_whole = "incomplete" not in facts["files"]
    return "settled" if is_in and is_final and not is_account_missing and is_explained and is_whole else "collecting"


@given(MONTHS)
@settings(max_examples=40)
def test_every_row_of_a_month_has_the_state_that_its_facts_give(facts: Facts) -> None:
    rows = published(facts)
    assert {row["state"] for row in rows} == {expected(facts)}
    for row in rows:
        late = row["state"] == "collecting" and facts["as_of_day"] > row["expected_settled_on"]
        assert row["is_late"] is late
        assert row["files_received"] <= row["files_expected"]
        # Whoever is told that a month is not done is told why.
        assert row["waits_for"] or row["state"] in ("settled", "locked")


@given(MONTHS, st.integers(0, 60))
@settings(max_examples=20)
def test_no_month_goes_back_while_only_time_passes(facts: Facts, days: int) -> None:
    later = {**facts, "as_of_day": facts["as_of_day"] + timedelta(days=days)}
    assert STATES.index(published(facts)[0]["state"]) <= STATES.index(published(later)[0]["state"])
