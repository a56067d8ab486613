"""Credits of a customer: which may be used in a period, in what order, and how much of each a document takes.

What does not belong here: what earlier documents have used up (`ledger`), lines of credit notes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any, Literal

from billing_pipeline.money import EXACT, minor_unit
from billing_pipeline.periods import BillingPeriod

CreditKind = Literal["general", "marketplace"]


@dataclass(frozen=True)
class CreditUse:
    """What a document takes of one credit.

    Attributes:
        amount: positive, payable, in the document's currency.
        left: what is left of the credit after this document and all before it.
        expires_on: first day on which the rest may no longer be used, or None.
        vendor: who granted it, or None.
    """

    credit_id: str
    kind: CreditKind
    amount: Decimal
    left: Decimal
    expires_on: date | None
    vendor: str | None


@dataclass(frozen=True)
class Balance:
    """A credit that may be used, with what is left of it.

    Attributes:
        left: granted amount less what other documents use, never below zero.
    """

    credit_id: str
    kind: CreditKind
    left: Decimal
    granted_on: date
    expires_on: date | None
    vendor: str | None


def usable_balances(
    rows: Iterable[Mapping[str, Any]], used: Mapping[str, Decimal], period: BillingPeriod, currency: str
) -> tuple[Balance, ...]:
    """Return a customer's credits that may be used on a document, in the order in which they are.

    Args:
        rows: the customer's rows of credits.csv: credit_id, kind, amount, currency, granted_on, expires_on, vendor,
            recorded_at; of several rows of one credit_id the one recorded last counts.
        used: what other documents take of each credit_id, in the credit's currency.
        period: a credit may be used if it is valid on any day of it.
        currency: the document's; credits in other currencies are left out.

    Returns:
        Earliest expiry first, none last; then the one granted first, then by id. Each has something left.
    """
    balances = [
        Balance(
            row["credit_id"],
            row["kind"],
            EXACT.subtract(row["amount"], used.get(row["credit_id"], Decimal(0))),
            row["granted_on"],
            row["expires_on"],
            row.get("vendor"),
        )
        for row in _latest(rows)
        if row["currency"] == currency
        and row["granted_on"] < period.end_day
        and (row["expires_on"] is None or row["expires_on"] > period.first_day)
    ]
    return tuple(
        sorted(
            (balance for balance in balances if balance.left > 0),
            key=lambda one: (one.expires_on is None, one.expires_on or date.max, one.granted_on, one.credit_id),
        )
    )


def granted_amounts(rows: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """Return the amount granted of each credit id, in its currency; of several rows the one recorded last counts.

    Args:
        rows: rows of credits.csv of any customers.
    """
    return {row["credit_id"]: row["amount"] for row in _latest(rows)}


def _latest(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    latest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        known = latest.get(row["credit_id"])
        if known is None or known["recorded_at"] < row["recorded_at"]:
            latest[row["credit_id"]] = row
    return list(latest.values())


def use_credits(
    balances: Iterable[Balance], kind: CreditKind, owed: Decimal, currency: str
) -> tuple[tuple[CreditUse, ...], Decimal]:
    """Take as much of the credits of one kind as is owed, the first first.

    Args:
        owed: payable amount in `currency`; nothing is taken of one that is not positive.

    Returns:
        What is taken of each, and what is owed after it, never below zero because of it. Only whole minor units of a
        credit are used: a rest smaller than that stays with it.
    """
    uses: list[CreditUse] = []
    for balance in balances:
        if balance.kind != kind or owed <= 0:
            continue
        available = balance.left.quantize(minor_unit(currency), rounding=ROUND_DOWN, context=EXACT)
        amount = min(available, owed)
        if amount <= 0:
            continue
        owed = EXACT.subtract(owed, amount)
        left = EXACT.subtract(balance.left, amount)
        uses.append(CreditUse(balance.credit_id, kind, amount, left, balance.expires_on, balance.vendor))
    return tuple(uses), owed
