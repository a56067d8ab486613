"""Which day's terms hold for a charge, and what was known: the cut-off rule, said for one charge.

The rule is that of `sql/pricing/item_charges.sql` and `usage_charges.sql`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from billing_pipeline.explaining.knowledge import Moment, instant_text
from billing_pipeline.periods import local_day

Item = Mapping[str, Any]

STOREFRONT = "reseller_storefront"


def usage_moment(item: Item, seen_at: datetime) -> Moment:
    """Return the moment of usage: the terms of its day, as known when the delivery arrived.

    Args:
        item: a row of priced_line_items.
        seen_at: the clock when the delivery's files were first landed, UTC.
    """
    reason = "the day of the usage, in UTC"
    return Moment(item["period_start"], reason, item["received_at"], "when the delivery arrived", seen_at)


def item_moment(item: Item, common: Item, seen_at: datetime, zone: ZoneInfo) -> Moment:
    """Return the moment of a distributor's item: of its order in the reseller's storefront, else of its invoice.

    Args:
        item: a row of priced_line_items.
        common: `ordered_at`, `issued_at` and `invoice_date` of the vendor's row; empty if it was not found.
        seen_at: the clock when the invoice was first landed, UTC.
        zone: the organisation's, whose day counts.
    """
    received_at = item["received_at"]
    ordered_at, issued_at = common.get("ordered_at"), common.get("issued_at")
    if item["order_channel"] == STOREFRONT and ordered_at is not None:
        reason = f"the day of the order in the reseller's storefront, {instant_text(ordered_at)}"
        known_at = min(ordered_at, received_at)
        return Moment(local_day(ordered_at, zone), reason, known_at, "when it was ordered", seen_at)
    if issued_at is not None:
        reason = f"the day on which the distributor issued the invoice, {instant_text(issued_at)}"
        return Moment(local_day(issued_at, zone), reason, received_at, "when the invoice first arrived", seen_at)
    reason = "the date of the distributor's invoice"
    return Moment(item["invoice_date"], reason, received_at, "when the invoice first arrived", seen_at)
