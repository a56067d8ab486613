"""What locks earlier months while a month is drafted, as relations of a session: documents, their charges, what waits.

What does not belong here: the differences (`resources.adjustments`), the documents themselves
(`billing_pipeline.ledger.standing`).
"""

from collections.abc import Sequence

import duckdb
import polars as pl

from billing_pipeline.adjustments import Generated
from billing_pipeline.ledger.standing import StandingDocument
from billing_pipeline.periods import BillingPeriod
from resources.billed_charges import select_billed
from resources.lake import Lake
from resources.relations import register_frames

_FEES = "include_marketplace_fees"

_DOCUMENTS = {
    "invoice_id": pl.String(),
    "document_customer": pl.String(),
    "document_period": pl.String(),
    "charges_sha256": pl.String(),
    "reference": pl.String(),
    "has_fees": pl.Boolean(),
    "is_issued": pl.Boolean(),
}


def months_locked(documents: Sequence[StandingDocument], period: BillingPeriod) -> list[BillingPeriod]:
    """Return the months before a period that documents lock, in order."""
    return [BillingPeriod(text) for text in sorted({one.billing_period for one in documents}) if text < period.text]


def name_current_slots(connection: duckdb.DuckDBPyConnection) -> None:
    """Name `current_slots`, where the session's `known_deliveries` stand; of all months, so before any is chosen."""
    connection.execute(
        "create or replace temp table current_slots as select distinct source, billing_account_id, billing_period,"
        # A proforma invoice bills nothing and is not waited for.
        " format, delivery_id, is_final or coalesce(invoice_status, '') = 'proforma' as is_final from known_deliveries"
        " where is_current"
    )


def name_documents(
    connection: duckdb.DuckDBPyConnection, lake: Lake, documents: Sequence[StandingDocument], period: BillingPeriod
) -> None:
    """Name `locked_months`, and `billed_of_documents`: the charges that documents have billed of the months."""
    rows = [
        (
            one.invoice_id, one.customer_id, one.billing_period, one.charges_sha256, one.reference,
            _FEES in one.options, one.status != "draft",
        )
        for one in documents
    ]  # fmt: skip
    register_frames(connection, [("standing_documents", pl.DataFrame(rows, schema=_DOCUMENTS, orient="row"))])
    connection.execute(
        "create or replace temp table locked_months as select document_customer as customer_id,"
        " document_period as billing_period, reference, has_fees, is_issued from standing_documents"
        " where document_period < $period",
        {"period": period.text},
    )
    snapshots = {(one.billing_period, one.charges_sha256) for one in documents if one.charges_sha256 is not None}
    billed = select_billed(lake, sorted(snapshots), "standing_documents")
    connection.execute(
        "create or replace temp view billed_of_documents as"
        " select billed.*, standing_documents.reference, standing_documents.document_period"
        f" from ({billed}) as billed inner join standing_documents using (invoice_id)"
        f" where billed.billing_period < '{period}'"
        f" or (billed.billing_period = '{period}' and standing_documents.document_period <> '{period}')"
    )


def name_slots(connection: duckdb.DuckDBPyConnection, include_not_final: bool) -> None:
    """Name `usable_slots`, the places of deliveries that can be compared, `waiting_slots`, and `billed_before`."""
    connection.execute(
        "create or replace temp table waiting_slots as select distinct source, billing_account_id, billing_period,"
        " case when bool_and(is_final) then 'a difference is not explained' else 'the vendor still estimates it' end"
        " as reason from current_slots where (not is_final and not $override)"
        " or delivery_id in (select delivery_id from differences) group by all",
        {"override": include_not_final},
    )
    connection.execute(
        "create or replace temp table usable_slots as select distinct source, billing_account_id, billing_period"
        " from current_slots anti join waiting_slots using (source, billing_account_id, billing_period);"
        # A distributor's invoice that was dated anew replaces itself in another month.
        "create or replace temp table dated_anew as select distinct source, billing_account_id from current_slots"
        " where format = 'distributor_invoice';"
        # A view, as all below: of months of charges only the few columns that are compared are read.
        "create or replace temp view billed_before as select billed.* from billed_of_documents as billed"
        " where not exists (select 1 from waiting_slots where waiting_slots.source = billed.source"
        " and waiting_slots.billing_account_id = billed.billing_account_id"
        " and waiting_slots.billing_period = billed.billing_period)"
        " and (exists (select 1 from usable_slots where usable_slots.source = billed.source"
        " and usable_slots.billing_account_id = billed.billing_account_id"
        " and usable_slots.billing_period = billed.billing_period)"
        " or exists (select 1 from dated_anew where dated_anew.source = billed.source"
        " and dated_anew.billing_account_id = billed.billing_account_id))"
    )


def lock_without_document(connection: duckdb.DuckDBPyConnection, period: BillingPeriod, generated: Generated) -> None:
    """Add to `locked_months` the customers who had nothing to bill when a month's invoices were made for all.

    What comes for them later is an adjustment too. Whom that run refused is still to be drafted for the month itself.
    """
    months = sorted(month for month in generated.months if month < period.text)
    refused = pl.DataFrame(
        sorted(generated.refused), schema={"customer_id": pl.String(), "billing_period": pl.String()}, orient="row"
    )
    register_frames(connection, [("refused_customers", refused)])
    connection.execute(
        "insert into locked_months select distinct period_items.customer_id, period_items.billing_period, null,"
        " (select bool_or(others.has_fees) from locked_months as others"
        " where others.billing_period = period_items.billing_period), true"
        " from period_items anti join locked_months using (customer_id, billing_period)"
        " anti join refused_customers using (customer_id, billing_period)"
        " where customer_id is not null and list_contains($months, billing_period)",
        {"months": months},
    )
