"""What is done with the deliveries of a day of arrival: price, reconcile, list the customer charges.

Each step reads and replaces partitions of the lake that it is given; over an overlay the same steps work a month
through as it was known earlier or under other terms. What does not belong here: taking deliveries
(`resources.intake`), describing the outcome (`assets`).
"""

from collections.abc import Iterable
from functools import partial

import duckdb

from billing_pipeline.configuration import Organisation, WorkspaceConfig
from billing_pipeline.pricing import check_rows, is_in_order, price_charges
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES, EXCLUDED_CHARGES
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from resources.finality import decide_finality, with_finality
from resources.lake import Lake, quoted
from resources.relations import mark_current, read_deliveries, read_earlier_items, read_partitions, read_vendor_rows
from resources.vendor_totals import read_vendor_totals

# Source and number of a distributor's invoice.
Invoice = tuple[str, str]

_ITEMS_AT_ONCE = 10_000


def price_days(
    connection: duckdb.DuckDBPyConnection, lake: Lake, config: WorkspaceConfig, days: Iterable[str]
) -> list[str]:
    """Price the deliveries of days of arrival; the outcome does not depend on the days' order.

    A credit note takes the frozen terms of the line it credits, which may have arrived on a later day. What was priced
    together with such a credit is priced a second time, when the line has its price.

    Args:
        connection: session with the macros and the reference relations (`reference_frames`).
        lake: its partitions of `priced_line_items` are replaced.
        config: the organisation's zone, and which feeds a distributor's invoices bill.
        days: partition keys.

    Returns:
        The days that have deliveries, in the order given.
    """
    wanted = list(days)
    batches = _batches(connection, lake, wanted)
    invoices: list[tuple[set[Invoice], set[Invoice]]] = []
    for batch in batches:
        _price_batch(connection, lake, config, batch)
        invoices.append((credited_invoices(connection), _invoices(connection, "debit", "invoice_id")))
    for position, (credited, _) in enumerate(invoices):
        if any(credited & debited for _, debited in invoices[position + 1 :]):
            _price_batch(connection, lake, config, batches[position])
    priced = {day for batch in batches for day in batch}
    for day in wanted:
        if day not in priced:
            lake.write_empty(PRICED_LINE_ITEMS, day)
    return [day for day in wanted if day in priced]


def _batches(connection: duckdb.DuckDBPyConnection, lake: Lake, days: list[str]) -> list[list[str]]:
    """Return the days that have deliveries, those together whose deliveries are priced in one go.

    To plan the statements of a day takes a quarter of a second, to price a distributor's invoice nothing: days of few
    items go together. A day of usage is on its own, as its rows need the memory; so is one that names a delivery again.
    """
    files = lake.files(DELIVERIES.name, days)
    if not files:
        return []
    listed = ", ".join(quoted(file) for file in files)
    found = connection.execute(
        "select parse_filename(filename, true), bool_and(format = 'distributor_invoice'), sum(row_count),"
        f" list(distinct delivery_id) from read_parquet([{listed}], filename = true, hive_partitioning = false)"
        " where unchanged_since is null group by all"
    ).fetchall()
    facts = {day: (is_items, row_count, set(deliveries)) for day, is_items, row_count, deliveries in found}
    batches: list[list[str]] = []
    together: list[str] = []
    rows, named = 0, set[str]()
    for day in days:
        if day not in facts:
            continue
        is_items, row_count, deliveries = facts[day]
        if not is_items or row_count > _ITEMS_AT_ONCE:
            batches.append([day])
            continue
        if not together or rows + row_count > _ITEMS_AT_ONCE or named & deliveries:
            together, rows, named = [], 0, set()
            batches.append(together)
        together.append(day)
        rows += row_count
        named |= deliveries
    return batches


def _price_batch(connection: duckdb.DuckDBPyConnection, lake: Lake, config: WorkspaceConfig, days: list[str]) -> None:
    """Replace the priced charges of days that have deliveries; their rows stay named in the session."""
    read_deliveries(connection, lake, days)
    read_vendor_rows(connection, lake)
    read_earlier_items(connection, lake, *days)
    priced = price_charges(connection, config.organisation.time_zone, config.invoiced_through)
    if len(days) == 1:
        in_order, check = is_in_order(connection), partial(check_rows, connection)
        lake.write(connection, PRICED_LINE_ITEMS, days[0], priced, comes_in_order=in_order, check=check)
        return
    check_rows(connection, priced)
    for day in days:
        read_partitions(connection, "deliveries_of_day", DELIVERIES, lake, [day])
        of_day = f"select * from {priced} where delivery_id in (select delivery_id from deliveries_of_day)"
        lake.write(connection, PRICED_LINE_ITEMS, day, of_day)


def credited_invoices(connection: duckdb.DuckDBPyConnection) -> set[Invoice]:
    """Return the invoices that credit notes among the session's `item_rows` credit."""
    return _invoices(connection, "credit", "x_credits_invoice_number")


def _invoices(connection: duckdb.DuckDBPyConnection, kind: str, number: str) -> set[Invoice]:
    """Return source and number from the session's distributor items of one kind, debit or credit."""
    query = (
        f"select distinct owners.source, item_rows.{number} from item_rows"
        " inner join (select distinct delivery_id, source from deliveries) as owners using (delivery_id)"
        f" where item_rows.x_invoice_type = $kind and item_rows.{number} is not null"
    )
    return set(connection.execute(query, {"kind": kind}).fetchall())


def reconcile_day(connection: duckdb.DuckDBPyConnection, lake: Lake, day: str) -> bool:
    """Replace a day's buckets by those of its priced charges, and tell whether there are any."""
    if not read_partitions(connection, "line_items", PRICED_LINE_ITEMS, lake, [day]):
        lake.write_empty(USAGE_RECONCILIATION, day)
        return False
    lake.write(connection, USAGE_RECONCILIATION, day, load_sql("reconciliation/usage_reconciliation"))
    return True


def find_differences(connection: duckdb.DuckDBPyConnection, lake: Lake, days: list[str]) -> int:
    """Name `differences`: the days' deliveries whose buckets do not add up to their rows; return how many there are."""
    read_partitions(connection, "buckets", USAGE_RECONCILIATION, lake, days)
    read_deliveries(connection, lake, days)
    connection.execute(
        f"create or replace temp table differences as {load_sql('reconciliation/unexplained_differences')}"
    )
    found = connection.execute("select count(*) from differences").fetchone()
    assert found is not None
    return int(found[0])


def list_charges_of_day(
    connection: duckdb.DuckDBPyConnection, lake: Lake, organisation: Organisation, day: str
) -> bool:
    """Replace a day's customer charges and what the inclusion rules leave out; tell whether it has any priced charge.

    Args:
        connection: session with the reference relations.
        organisation: since when there are customer charges.
        day: day of arrival. The vendors' own totals that are there by now say when an invoice was issued, and whether;
            where they came later, the next run of the day lists what they settle.
    """
    if not read_partitions(connection, "day_items", PRICED_LINE_ITEMS, lake, [day]):
        lake.write_empty(EXCLUDED_CHARGES, day)
        lake.write_empty(CUSTOMER_CHARGES, day)
        return False
    if read_vendor_totals(connection, lake):
        read_deliveries(connection, lake, None)
        mark_current(connection)
    decide_finality(connection, lake)
    connection.execute(f"create or replace temp view line_items as {with_finality(connection, 'day_items')}")
    connection.execute(
        "create or replace temp table charge_rules as select cast($start as date) as charges_start_on,"
        " cast($edition as date) as standard_edition_since, cast($day as date) as arrived_on",
        {"start": organisation.charges_start_on, "edition": organisation.standard_edition_since, "day": day},
    )
    for kind, name in (("view", "charge_decisions"), ("table", "decided_charges")):
        connection.execute(f"create or replace temp {kind} {name} as {load_sql(f'charges/{name}')}")
    lake.write(connection, EXCLUDED_CHARGES, day, load_sql("charges/excluded_charges"))
    lake.write(connection, CUSTOMER_CHARGES, day, load_sql("charges/customer_charges"))
    return True


def find_uncounted(connection: duckdb.DuckDBPyConnection, lake: Lake, days: list[str]) -> int:
    """Name `uncounted`: the days' deliveries whose rows are not all listed or left out; return how many there are."""
    read_partitions(connection, "listed_charges", CUSTOMER_CHARGES, lake, days)
    read_partitions(connection, "left_out_charges", EXCLUDED_CHARGES, lake, days)
    read_deliveries(connection, lake, days)
    connection.execute(f"create or replace temp table uncounted as {load_sql('charges/uncounted_rows')}")
    found = connection.execute("select count(*) from uncounted").fetchone()
    assert found is not None
    return int(found[0])
