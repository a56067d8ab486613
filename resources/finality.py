"""Which deliveries count as final: what their files say, unless the vendor's own totals say otherwise."""

import duckdb

from billing_pipeline.queries import load_sql
from resources.lake import Lake, quoted
from resources.vendor_totals import read_vendor_totals


def decide_finality(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Name `stated_finality`, what totals say of current deliveries, and let `known_deliveries` say so too.

    Args:
        connection: the session in which `mark_current` has named `known_deliveries`; it gets `vendor_totals` as well.
        lake: its totals of all days.
    """
    has_totals = read_vendor_totals(connection, lake)
    if not has_totals:
        connection.execute("create or replace temp table stated_finality (delivery_id varchar, is_final boolean)")
        return
    connection.execute(
        f"create or replace temp table stated_finality as {load_sql('reconciliation/stated_finality')};"
        "update known_deliveries set is_final = stated_finality.is_final from stated_finality"
        " where known_deliveries.delivery_id = stated_finality.delivery_id"
    )


def with_finality(connection: duckdb.DuckDBPyConnection, relation: str, has_charges: bool = True) -> str:
    """Return a select of priced charges, or of their buckets, as totals make them final or not; it needs no session.

    Args:
        connection: the session in which `decide_finality` has named `stated_finality`.
        relation: name, or a select in brackets, of rows with delivery_id and bucket.
        has_charges: whether they are charges, which have is_final and a reason beside their bucket.
    """
    found = connection.execute("select delivery_id, is_final from stated_finality order by delivery_id").fetchall()
    if not found:
        return f"select * from {relation}"
    # Written out: the view of a large warehouse outlives the session.
    stated = ", ".join(f"({quoted(delivery_id)}, {str(is_final).lower()})" for delivery_id, is_final in found)
    changes = (
        "case when rows_of.bucket = 'not_yet_final' and stated.is_final then 'billed'"
        " when rows_of.bucket = 'billed' and not stated.is_final then 'not_yet_final' else rows_of.bucket end as bucket"
    )
    if has_charges:
        changes += (
            ", coalesce(stated.is_final, rows_of.is_final) as is_final,"
            " case when rows_of.bucket = 'not_yet_final' and stated.is_final then null"
            " when rows_of.bucket = 'billed' and not stated.is_final then 'the vendor''s totals are not final'"
            " else rows_of.reason end as reason"
        )
    return (
        f"select rows_of.* replace ({changes}) from {relation} as rows_of"
        f" left join (values {stated}) as stated(delivery_id, is_final) on rows_of.delivery_id = stated.delivery_id"
    )
