"""Parts of a document that the ledger keeps as JSON, taxes and exchange rates: every digit there and back.

What does not belong here: the bytes that are hashed (`ledger.content`).
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from billing_pipeline.exchange import AppliedRate
from billing_pipeline.taxes import TaxLine

_DECIMALS = ("percent", "base", "amount", "rate")


def to_json(parts: Iterable[TaxLine | AppliedRate]) -> list[dict[str, Any]]:
    """Return parts as mappings of texts and truth values; decimals keep their digits, days are ISO 8601."""
    return [{name: _text(value) for name, value in vars(part).items()} for part in parts]


def taxes_of(rows: Iterable[Mapping[str, Any]]) -> tuple[TaxLine, ...]:
    """Return the taxes that were written as `rows`."""
    return tuple(TaxLine(**_fields(row)) for row in rows)


def rates_of(rows: Iterable[Mapping[str, Any]]) -> tuple[AppliedRate, ...]:
    """Return the exchange rates that were written as `rows`."""
    return tuple(AppliedRate(**_fields(row)) for row in rows)


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(row)
    for name in _DECIMALS:
        if name in fields:
            fields[name] = Decimal(fields[name])
    if "rate_date" in fields:
        fields["rate_date"] = date.fromisoformat(fields["rate_date"])
    return fields
