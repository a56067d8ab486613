"""An explanation as a structure for programs: amounts and quantities as text, instants in ISO 8601."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.explaining.model import Explanation, VendorFile
from billing_pipeline.explaining.row_ranges import ranges_text


def structure(explanation: Explanation) -> dict[str, Any]:
    """Return texts, whole numbers, lists and mappings that JSON can write.

    The keys are the attributes of `explaining.model`; `item` of a charge has the columns of priced_line_items. A
    vendor's file has its row numbers twice: as `row_ranges`, pairs of first and last, and as the text `row_numbers`.
    """
    plain: dict[str, Any] = _plain(explanation)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(cell) for name, cell in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(cell) for cell in value]
    if is_dataclass(value):
        found = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        if isinstance(value, VendorFile):
            found["row_numbers"] = ranges_text(value.row_ranges)
        return found
    return value
