"""Distributor invoices that are sent again: which of them say nothing new.

Many distributors send a whole month's invoices with every new one. An invoice that says what it said before is no new
delivery: it stays where it first arrived, at its first price. One that says something else replaces it, also when it
says again what an older version said.
"""

import polars as pl

# In this order deliveries of one slot arrive; the last is the current one (`resources.relations.mark_current`).
_ARRIVAL = {"received_at": False, "landed_at": False, "is_issued": False, "sha256": True}


def with_repeats(deliveries: pl.DataFrame) -> pl.DataFrame:
    """Return deliveries, columns as in the `deliveries` table, in their order, `unchanged_since` as these alone say."""
    repeats = find_repeats(deliveries.filter(pl.col("format") == "distributor_invoice"))
    others = deliveries.drop("unchanged_since")
    joined = others.join(repeats, on=["slot", "sha256"], how="left", maintain_order="left")
    return joined.select(deliveries.columns)


def find_repeats(invoices: pl.DataFrame) -> pl.DataFrame:
    """Return the invoices that say what the one before them in their slot says.

    Args:
        invoices: versions of invoices, in any order: slot, sha256 (of the file set), content_sha256, received_at,
            landed_at and invoice_status, as in the `deliveries` table.

    Returns:
        slot and sha256 of each repeat, and `unchanged_since`: when the first of those that say the same arrived.
    """
    ordered = invoices.with_columns(is_issued=pl.col("invoice_status").eq_missing("issued")).sort(
        "slot", *_ARRIVAL, descending=[False, *_ARRIVAL.values()]
    )
    # An unknown content is never the same as another.
    is_repeat = (pl.col("content_sha256") == pl.col("content_sha256").shift(1).over("slot")).fill_null(value=False)
    first = pl.when(~is_repeat).then(pl.col("received_at")).forward_fill().over("slot")
    return (
        ordered.with_columns(is_repeat=is_repeat, unchanged_since=first)
        .filter("is_repeat")
        .select("slot", "sha256", "unchanged_since")
    )
