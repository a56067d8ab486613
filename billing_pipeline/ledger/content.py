"""The hash of a document's content: equal exactly when the documents say the same.

What does not belong here: the bytes of a PDF or CSV (`documents`).
"""

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import Any

from billing_pipeline.invoicing import Invoice, InvoiceLine, Party


def canonical_json(invoice: Invoice) -> str:
    """Return the content of a document as JSON text with one possible spelling.

    Keys are sorted, decimals are plain text without trailing zeros, and what is absent is left out, so a
    field added to documents later does not change the hash of those that do not use it. The status is no
    content: it moves on while the content stays.
    """
    content = _present(invoice)
    del content["status"]
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def content_sha256(invoice: Invoice) -> str:
    """Return the lower-case hex SHA-256 of `canonical_json` in UTF-8."""
    return hashlib.sha256(canonical_json(invoice).encode()).hexdigest()


def _present(part: Invoice | InvoiceLine | Party) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if value is not None and value != ()}


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        digits = format(value, "f")
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return "0" if digits == "-0" else digits
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, InvoiceLine | Party):
        return _present(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")
