"""The hash of a document's content: equal exactly when the documents say the same.

What does not belong here: the bytes of a PDF or CSV (`documents`).
"""

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import Any

from billing_pipeline.credits import CreditUse
from billing_pipeline.exchange import AppliedRate
from billing_pipeline.invoicing import Invoice, InvoiceLine, Party
from billing_pipeline.taxes import TaxLine

_Part = Invoice | InvoiceLine | Party | TaxLine | CreditUse | AppliedRate


def canonical_json(invoice: Invoice) -> str:
    """Return the content of a document as JSON text with one possible spelling.

    Keys are sorted, decimals are plain text without trailing zeros, and what is absent is left out, so a
    field added to documents later does not change the hash of those that do not use it. The status is no
    content: it moves on while the content stays.
    """
    content = _present(invoice)
    del content["status"]
    if invoice.document_type == "invoice":
        del content["document_type"]
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def content_sha256(invoice: Invoice) -> str:
    """Return the lower-case hex SHA-256 of `canonical_json` in UTF-8."""
    return sha256_of_content(canonical_json(invoice))


def sha256_of_content(content: str) -> str:
    """Return the lower-case hex SHA-256 of a text in UTF-8."""
    return hashlib.sha256(content.encode()).hexdigest()


def _present(part: _Part) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if value is not None and value != ()}


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        digits = format(value, "f")
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return "0" if digits == "-0" else digits
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, InvoiceLine | Party | TaxLine | CreditUse | AppliedRate):
        return _present(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")
