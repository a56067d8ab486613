"""What else is worth knowing about a charge, and what does not agree: one sentence each."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.explaining.knowledge import instant_text
from billing_pipeline.explaining.model import Delivery, ReferenceRow, VendorFile
from billing_pipeline.money import EXACT

Item = Mapping[str, Any]


def charge_problems(item: Item, files: Sequence[VendorFile]) -> tuple[str, ...]:
    """Return what does not agree between a priced charge and its vendor rows.

    Args:
        item: a row of priced_line_items.
        files: the vendor's files with the sums over the charge's rows.
    """
    if not files:
        return ("none of its vendor rows is in the lake",)
    found = []
    rows = sum(file.row_count for file in files)
    cost = exact_sum([file.billed_cost for file in files])
    if rows != item["row_count"]:
        found.append(f"it was made of {item['row_count']} vendor rows, {rows} are found")
    if cost != item["total_cost"]:
        cells = f"{plain_decimal(cost)}, its cost is {plain_decimal(item['total_cost'])} {item['currency']}"
        found.append(f"its vendor rows add up to {cells}")
    found += [f"the bytes of {file.name} are missing from the archive" for file in files if file.kept_as is None]
    return tuple(found)


def charge_notes(item: Item, delivery: Delivery | None, price_list: ReferenceRow | None) -> tuple[str, ...]:
    """Return facts of a charge that its price does not show."""
    found = [item["note"]] if item["note"] else []
    if delivery is not None:
        if not delivery.is_current:
            found.append("a later delivery has replaced the one it came in")
        if delivery.received_at > item["received_at"]:
            first = instant_text(item["received_at"])
            found.append(f"the invoice was sent again; it keeps the knowledge of its first arrival, {first}")
    if price_list is not None and item["expected_unit_cost"] is not None:
        found.append(_cost_check(item))
    return tuple(found)


def _cost_check(item: Item) -> str:
    expected, invoiced = item["expected_unit_cost"], abs(item["unit_cost"])
    text = f"after price list {item['price_list_id']} a unit costs {plain_decimal(expected)} {item['currency']}"
    if expected == invoiced:
        return f"{text}, as invoiced"
    more = EXACT.subtract(invoiced, expected)
    word = "more" if more > 0 else "less"
    return f"{text}; the distributor invoiced {plain_decimal(invoiced)}, {plain_decimal(abs(more))} {word}"


def exact_sum(amounts: Sequence[Decimal]) -> Decimal:
    """Return a sum that is never rounded."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
