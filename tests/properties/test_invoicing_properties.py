"""Drafts of generated charges: totals are conserved, order does not matter, a repeated run changes nothing."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from functools import reduce
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from billing_pipeline.configuration import Organisation
from billing_pipeline.drafting import DraftTerms, draft_invoices
from billing_pipeline.invoicing import Drafted, DraftOptions, Invoice
from billing_pipeline.ledger.documents import load_invoices
from billing_pipeline.ledger.operations import replace_drafts
from billing_pipeline.ledger.tables import metadata
from billing_pipeline.money import minor_unit, round_money
from billing_pipeline.periods import BillingPeriod
from resources.ledger import open_ledger

PERIOD = BillingPeriod("2026-10")
MONDAY = datetime(2026, 11, 9, 7, 0, tzinfo=UTC)
EXACT = Context(prec=80)
CURRENCIES = {"c1": "EUR", "c2": "JPY", "c3": "BHD", "c4": "USD"}
ORGANISATION = Organisation(
    id="contoso",
    name="Contoso Cloud Ltd",
    time_zone="Europe/Athens",
    currency="EUR",
    country="GR",
    charges_start_on=date(2026, 1, 1),
    standard_edition_since=date(2025, 6, 1),
)
CUSTOMERS = pl.DataFrame(
    [{"customer_id": customer_id, "name": "Acme", "invoice_currency": code} for customer_id, code in CURRENCIES.items()]
)
LINE_SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("customer_id", "product_type", "product_name", "unit", "line_kind", "currency"), pl.String),
    **dict.fromkeys(("product_id", "description", "tax_category"), pl.String),
    "amount_precise": pl.Decimal(38, 24),
    "cost_precise": pl.Decimal(38, 24),
    "quantity": pl.Decimal(38, 18),
    "charge_count": pl.Int64,
    "charges_sha256": pl.String,
}

# 24 decimals and up to 12 whole digits, small amounts and exact halves among them
amounts = st.one_of(
    st.integers(-(10**36), 10**36).map(lambda units: EXACT.scaleb(Decimal(units), -24)),
    st.integers(-(10**4), 10**4).map(lambda units: EXACT.scaleb(Decimal(units), -4)),
)
lines = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(sorted(CURRENCIES)),
        "product_type": st.sampled_from(["Compute", "Storage"]),
        "product_name": st.sampled_from(["A", "B"]),
        "unit": st.sampled_from(["Hours", None]),
        "line_kind": st.sampled_from(["usage", "subscription", "credit", "marketplace"]),
        "amount_precise": amounts,
        "cost_precise": st.just(Decimal(1)),
    }
)


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    filled = [
        {
            **row,
            "currency": CURRENCIES[row["customer_id"]],
            "product_id": f"p{number}",
            "description": row["product_name"],
            "tax_category": "standard",
            "quantity": Decimal(1),
            "charge_count": 1,
            "charges_sha256": f"{number:064}",
        }
        for number, row in enumerate(rows)
    ]
    return pl.DataFrame(filled, schema=LINE_SCHEMA)


def drafts_of(rows: pl.DataFrame) -> Drafted:
    return draft_invoices(
        rows, DraftTerms(CUSTOMERS.to_dicts()), {}, ORGANISATION, PERIOD, DraftOptions(include_marketplace_fees=True)
    )


def exact_sum(values: list[Decimal]) -> Decimal:
    return reduce(EXACT.add, values, Decimal(0))


def check_amounts(invoice: Invoice, generated: list[Decimal]) -> None:
    precise = exact_sum([line.amount_precise for line in invoice.lines])
    assert precise == exact_sum(generated)
    assert (
        invoice.subtotal == exact_sum([line.amount for line in invoice.lines]) == round_money(precise, invoice.currency)
    )
    assert invoice.total == invoice.subtotal + invoice.tax_total - invoice.credits_applied
    by_type = {line.product_type: Decimal(0) for line in invoice.lines}
    for line in invoice.lines:
        by_type[line.product_type] += line.amount
        assert abs(EXACT.subtract(line.amount, line.amount_precise)) < minor_unit(invoice.currency)
        assert line.amount.as_tuple().exponent == minor_unit(invoice.currency).as_tuple().exponent
    assert exact_sum(list(by_type.values())) == invoice.subtotal


@settings(max_examples=2000, deadline=None)
@given(st.lists(lines, min_size=1, max_size=12))
def test_lines_subtotals_and_totals_agree_exactly_and_nothing_is_lost(rows: list[dict[str, Any]]) -> None:
    result = drafts_of(frame(rows))
    assert result.errors == ()
    assert {invoice.customer.id for invoice in result.invoices} == {row["customer_id"] for row in rows}
    assert sum(len(invoice.lines) for invoice in result.invoices) == len(rows)
    for invoice in result.invoices:
        check_amounts(invoice, [row["amount_precise"] for row in rows if row["customer_id"] == invoice.customer.id])


@settings(max_examples=200, deadline=None)
@given(st.lists(lines, max_size=12), st.integers())
def test_lines_in_any_order_make_the_same_drafts(rows: list[dict[str, Any]], seed: int) -> None:
    ordered = frame(rows)
    order = random.Random(seed).sample(range(len(rows)), len(rows))
    assert drafts_of(ordered) == drafts_of(ordered[order])


def dump(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.exec_driver_sql(f"select * from {name}")]
            for name in metadata.tables
        }


def replace_with(engine: Engine, drafted: Drafted, days: int) -> None:
    with engine.begin() as connection:
        replace_drafts(connection, PERIOD, drafted, MONDAY + timedelta(days=days), "job")


@settings(max_examples=100, deadline=None)
@given(st.lists(lines, max_size=8), st.lists(lines, max_size=8))
def test_a_repeated_run_changes_nothing_and_another_run_replaces_everything(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    engine = open_ledger("sqlite://")
    replace_with(engine, drafts_of(frame(first)), days=0)
    before = dump(engine)
    replace_with(engine, drafts_of(frame(first)), days=1)
    assert dump(engine) == before
    replace_with(engine, drafts_of(frame(second)), days=2)
    with engine.connect() as connection:
        assert load_invoices(connection) == drafts_of(frame(second)).invoices
    engine.dispose()
