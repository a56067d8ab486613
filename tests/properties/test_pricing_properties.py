"""What must hold whatever a vendor sends and the terms say: nothing lost, nothing rounded, nothing by chance."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from billing_pipeline.pricing import price_charges
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.priced_line_items import BUCKETS, PRICED_LINE_ITEMS
from billing_pipeline.schemas.reference import REFERENCE_FILES_BY_NAME
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from resources.relations import register_frames
from tests.sql.inline import Row, fetch, instant, pick, session

# The same examples on every machine and every day: a failure here must be repeatable from its report alone.
REPEATABLE = settings(max_examples=10, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))

RECEIVED_AT = instant("2026-11-05")
KNOWN = [instant("2026-01-01"), instant("2026-10-02"), RECEIVED_AT]
LATE = [instant("2026-11-06"), instant("2026-11-09")]
DAYS = [date(2026, 10, 1) + timedelta(days=offset) for offset in range(3)]
ACCOUNTS, CUSTOMERS, SKUS, TYPES = ["a1", "a2"], ["c1", "c2"], ["s1", "s2"], ["Compute", "Storage"]
# What makes two vendor rows of one delivery one charge.
GRAIN = (
    "sub_account_id",
    "product_id",
    "product_type",
    "period_start",
    "charge_category",
    "charge_nature",
    "unit",
    "currency",
)

FACT: Row = {
    "delivery_id": "d1",
    "source": "aws",
    "format": "focus",
    "vendor": "AWS",
    "billing_account_id": "payer",
    "billing_period": "2026-10",
    "received_at": RECEIVED_AT,
    "is_final": True,
}
FACT_TYPES: dict[str, Any] = dict.fromkeys(FACT, pl.String) | {
    "received_at": pl.Datetime("us", "UTC"),
    "is_final": pl.Boolean,
}


@dataclass(frozen=True)
class Month:
    """Everything that pricing reads: vendor rows and what the reseller has written."""

    usage: tuple[Row, ...] = ()
    items: tuple[Row, ...] = ()
    facts: tuple[Row, ...] = (FACT,)
    reference: Mapping[str, Sequence[Row]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with session() as opened:
        # A handful of rows: a second thread only costs.
        opened.execute("set threads = 1")
        yield opened


def price(connection: duckdb.DuckDBPyConnection, month: Month) -> list[Row]:
    """Price a month through the pipeline's own steps."""
    canonical = {column.name: column.polars_type for column in VENDOR_CHARGES.columns}
    frames = [
        ("usage_rows", pl.DataFrame(list(month.usage), schema=canonical)),
        ("item_rows", pl.DataFrame(list(month.items), schema=canonical)),
        ("delivery_facts", pl.DataFrame(list(month.facts), schema=FACT_TYPES)),
        ("earlier_line_items", PRICED_LINE_ITEMS.empty_frame()),
    ]
    for name in ("accounts", "customers", "products", "pricing_rules", "special_prices"):
        rows = [{**row, "source_row": number} for number, row in enumerate(month.reference.get(name, ()), start=1)]
        frames.append((f"reference_{name}", pl.DataFrame(rows, schema=REFERENCE_FILES_BY_NAME[name].frame_types)))
    register_frames(connection, frames)
    return fetch(connection, f"select * from {price_charges(connection, 'Europe/Athens')} order by charge_id")


def decimals(largest: int, places: int) -> st.SearchStrategy[Decimal]:
    """Decimals of up to so many places, down to the very last."""
    bound = Decimal(largest)
    return st.one_of(
        st.decimals(-bound, bound, places=places),
        st.sampled_from([Decimal(0), Decimal(1).scaleb(-places), Decimal(-1).scaleb(-places), Decimal("0.01")]),
    )


def quantities(places: int) -> st.SearchStrategy[Decimal]:
    return decimals(100_000, places).map(abs).filter(bool)


grain_facts = st.fixed_dictionaries(
    {
        "delivery_id": st.just("d1"),
        "sub_account_id": st.sampled_from(["a1", *ACCOUNTS, None]),
        "sku_id": st.sampled_from([*SKUS, None]),
        "service_name": st.sampled_from(["Machines", None]),
        "service_category": st.sampled_from([*TYPES, None]),
        "charge_period_start": st.sampled_from(DAYS).map(lambda day: instant(day.isoformat())),
        "charge_category": st.just("Usage"),
        "x_charge_nature": st.sampled_from(["usage"] * 6 + ["tax", "marketplace_fee", "free_tier", "rounding"]),
        "pricing_unit": st.sampled_from(["Hours", None]),
        "billing_currency": st.sampled_from(["EUR", "EUR", "USD"]),
    }
)
amounts = st.fixed_dictionaries(
    {
        "pricing_quantity": st.one_of(quantities(15), quantities(15), st.none()),
        "billed_cost": decimals(1_000_000, 18),
        "list_cost": st.one_of(decimals(1_000_000, 18), decimals(1_000_000, 18), st.none()),
        "charge_description": st.sampled_from(["An hour", "One hour", None]),
    }
)
# A few kinds of rows and many rows of each, so that charges are made of more than one row.
months_of_usage = st.lists(grain_facts, min_size=1, max_size=6).flatmap(
    lambda kinds: st.lists(
        st.builds(lambda kind, row: kind | row, st.sampled_from(kinds), amounts), min_size=1, max_size=25
    )
)

ranges = st.sampled_from([(date(2026, 1, 1), None), (DAYS[1], None), (date(2026, 1, 1), DAYS[1]), (DAYS[1], DAYS[2])])
percents = st.decimals(Decimal("-99.9999"), Decimal(900), places=4)
scopes = st.sampled_from(
    [*(("product", sku) for sku in [*SKUS, "Machines"]), *(("product_type", kind) for kind in TYPES), ("vendor", "AWS")]
)


def term(method: str, percent: Decimal, price_per_unit: Decimal, valid: tuple[date, date | None], recorded: Any) -> Row:
    return {
        "method": method,
        "percent": None if method in ("srp", "fixed") else percent,
        "valid_from": valid[0],
        "valid_to": valid[1],
        "recorded_at": recorded,
    } | ({"unit_price": price_per_unit, "currency": None} if method == "fixed" else {})


def terms(*methods: str, recorded: Sequence[Any]) -> st.SearchStrategy[Row]:
    prices = quantities(9)
    return st.builds(term, st.sampled_from(methods), percents, prices, ranges, st.sampled_from(list(recorded)))


def references(recorded: Sequence[Any]) -> st.SearchStrategy[dict[str, list[Row]]]:
    """Reference files as they are checked: no two rows of one key recorded at the same instant."""
    mappings = st.builds(
        lambda account, customer, row: {
            "source": "aws",
            "account_id": account,
            "customer_id": customer,
            **{name: row[name] for name in ("valid_from", "valid_to", "recorded_at")},
        },
        st.sampled_from(ACCOUNTS),
        st.sampled_from(CUSTOMERS),
        terms("markup", recorded=recorded),
    )
    rules = st.builds(
        lambda scope, row: {"scope": scope[0], "scope_id": scope[1], **row},
        scopes,
        terms("markup", "srp", recorded=recorded),
    )
    specials = st.builds(
        lambda customer, product, row: {"customer_id": customer, "product_id": product, **row},
        st.sampled_from(CUSTOMERS),
        st.sampled_from(SKUS),
        terms("markup", "percent_of_srp", "fixed", recorded=recorded),
    )
    return st.fixed_dictionaries(
        {
            "accounts": st.lists(mappings, max_size=6, unique_by=lambda row: (row["account_id"], row["recorded_at"])),
            "pricing_rules": st.lists(
                rules, max_size=8, unique_by=lambda row: (row["scope"], row["scope_id"], row["recorded_at"])
            ),
            "special_prices": st.lists(
                specials, max_size=4, unique_by=lambda row: (row["customer_id"], row["product_id"], row["recorded_at"])
            ),
        }
    ).map(named)


def named(reference: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Give every term an id of its own, and the customers a currency."""
    for file, key in (("pricing_rules", "rule_id"), ("special_prices", "special_price_id")):
        reference[file] = [{key: f"{key}-{number}", **row} for number, row in enumerate(reference[file])]
    always: Row = {"recorded_at": KNOWN[0]}
    reference["accounts"].append(
        {
            "source": "aws",
            "account_id": "a1",
            "customer_id": "c1",
            "valid_from": DAYS[0],
            "recorded_at": instant("2025-01-01"),
        }
    )
    reference["customers"] = [{"customer_id": name, "invoice_currency": "EUR", **always} for name in CUSTOMERS]
    reference["products"] = [
        {"product_id": "p2", "name": "Two", "product_type": "Storage", "source": "aws", "sku": "s2", **always}
    ]
    return reference


@REPEATABLE
@given(rows=months_of_usage, reference=references([*KNOWN, *LATE]))
def test_pricing_the_grain_is_exactly_pricing_every_vendor_row_alone(
    connection: duckdb.DuckDBPyConnection, rows: list[Row], reference: dict[str, list[Row]]
) -> None:
    together = price(connection, Month(tuple(rows), reference=reference))
    # A delivery of its own for every row: no row shares a charge with another.
    apart = price(
        connection,
        Month(
            tuple(row | {"delivery_id": f"d{number}"} for number, row in enumerate(rows)),
            facts=tuple(FACT | {"delivery_id": f"d{number}"} for number in range(len(rows))),
            reference=reference,
        ),
    )
    assert len(apart) == len(rows)
    alone: dict[Any, list[Row]] = defaultdict(list)
    for row in apart:
        alone[tuple(row[name] for name in GRAIN)].append(row)
    at_grain: dict[Any, list[Row]] = defaultdict(list)
    for charge in together:
        at_grain[tuple(charge[name] for name in GRAIN)].append(charge)
    assert set(at_grain) == set(alone)
    for key, charges in at_grain.items():
        assert sum(charge["row_count"] for charge in charges) == len(alone[key])
        assert sum(charge["total_cost"] for charge in charges) == sum(row["total_cost"] for row in alone[key])
        prices = [row["total_sell"] for row in alone[key]]
        totals = [charge["total_sell"] for charge in charges]
        if None not in totals:
            assert sum(totals) == sum(prices)
        else:
            assert None in prices


@REPEATABLE
@given(rows=months_of_usage, reference=references([*KNOWN, *LATE]), is_final=st.booleans())
def test_every_vendor_row_and_every_cent_is_in_exactly_one_bucket(
    connection: duckdb.DuckDBPyConnection, rows: list[Row], reference: dict[str, list[Row]], is_final: bool
) -> None:
    charges = price(connection, Month(tuple(rows), facts=(FACT | {"is_final": is_final},), reference=reference))
    assert sum(pick(charges, "row_count")) == len(rows)
    assert set(pick(charges, "bucket")) <= set(BUCKETS)
    assert all(
        charge["total_sell"] is not None for charge in charges if charge["bucket"] in ("billed", "not_yet_final")
    )
    connection.execute("create or replace temp view line_items as from priced_line_items_of_session")
    buckets = fetch(connection, load_sql("reconciliation/usage_reconciliation"))
    for currency in {row["billing_currency"] for row in rows}:
        wanted = sum(row["billed_cost"] for row in rows if row["billing_currency"] == currency)
        assert sum(bucket["amount"] for bucket in buckets if bucket["currency"] == currency) == wanted
    assert sum(pick(buckets, "row_count")) == len(rows)
    assert len({(bucket["currency"], bucket["bucket"]) for bucket in buckets}) == len(buckets)


@REPEATABLE
@given(rows=months_of_usage, reference=references([*KNOWN, *LATE]), data=st.data())
def test_neither_the_order_of_vendor_rows_nor_of_reference_rows_changes_anything(
    connection: duckdb.DuckDBPyConnection, rows: list[Row], reference: dict[str, list[Row]], data: st.DataObject
) -> None:
    shuffled = {name: data.draw(st.permutations(lines)) for name, lines in reference.items()}
    month = Month(tuple(rows), reference=reference)
    other = Month(tuple(data.draw(st.permutations(rows))), reference=shuffled)
    assert price(connection, month) == price(connection, other)


@REPEATABLE
@given(rows=months_of_usage, reference=references(KNOWN), late=references(LATE))
def test_terms_recorded_after_arrival_fill_gaps_and_change_no_price_of_a_known_term(
    connection: duckdb.DuckDBPyConnection, rows: list[Row], reference: dict[str, list[Row]], late: dict[str, list[Row]]
) -> None:
    before = price(connection, Month(tuple(rows), reference=reference))
    both = reference | {
        name: [*reference[name], *(row for row in late[name] if row["recorded_at"] in LATE)]
        for name in ("accounts", "pricing_rules", "special_prices")
    }
    after = {charge["charge_id"]: charge for charge in price(connection, Month(tuple(rows), reference=both))}
    for charge in before:
        if charge["customer_id"] is not None and charge["price_term_id"] is not None:
            assert after[charge["charge_id"]] == charge
        elif charge["customer_id"] is not None:
            assert after[charge["charge_id"]]["customer_id"] == charge["customer_id"]


def item(number: str, quantity: Decimal, **changes: Any) -> Row:
    return {
        "delivery_id": number,
        "sub_account_id": "c1",
        "sku_id": "s1",
        "service_name": "Seats",
        "service_category": "Storage",
        "charge_category": "Purchase",
        "x_charge_nature": "usage",
        "pricing_quantity": quantity,
        "pricing_unit": "Month",
        "billing_currency": "EUR",
        "invoice_id": number,
        "x_line_number": "1",
        "x_invoice_type": "debit",
        "x_invoice_status": "issued",
        "x_order_channel": "distributor_storefront",
        "x_issued_at": instant("2026-10-01 12:00"),
        "x_invoice_date": DAYS[0],
        **changes,
    }


@REPEATABLE
@given(
    parts=st.lists(quantities(9), min_size=1, max_size=4),
    unit_cost=quantities(9),
    list_price=quantities(9),
    agreed=terms("markup", "percent_of_srp", "fixed", recorded=KNOWN[:1]),
    changed=terms("markup", "percent_of_srp", "fixed", recorded=LATE),
)
def test_credits_of_all_parts_of_a_line_return_exactly_what_was_charged_whatever_changed_since(
    connection: duckdb.DuckDBPyConnection,
    parts: list[Decimal],
    unit_cost: Decimal,
    list_price: Decimal,
    agreed: Row,
    changed: Row,
) -> None:
    whole = sum(parts, Decimal(0))
    debit = item("INV", whole, billed_cost=whole * unit_cost, x_unit_cost=unit_cost, x_list_price=list_price)
    credits = tuple(
        item(
            f"CR{number}",
            part,
            billed_cost=-part * unit_cost,
            x_unit_cost=unit_cost,
            x_list_price=list_price * 2,
            x_invoice_type="credit",
            x_credits_invoice_number="INV",
            x_credits_line_number="1",
        )
        for number, part in enumerate(parts)
    )
    facts = [
        FACT | {"delivery_id": row["delivery_id"], "billing_account_id": row["invoice_id"]} for row in (debit, *credits)
    ]
    later = [fact | {"received_at": instant("2026-12-01")} for fact in facts[1:]]
    of_customer: Row = {"customer_id": "c1", "product_id": "s1"}
    reference: dict[str, list[Row]] = {
        "customers": [{"customer_id": "c1", "invoice_currency": "EUR", "recorded_at": KNOWN[0]}],
        "special_prices": [
            of_customer | agreed | {"special_price_id": "agreed", "valid_from": date(2026, 1, 1), "valid_to": None},
            of_customer | changed | {"special_price_id": "changed", "valid_from": date(2026, 1, 1), "valid_to": None},
        ],
    }
    month = Month(items=(debit, *credits), facts=(facts[0], *later), reference=reference)
    charges = price(connection, month)
    (charged,) = [charge for charge in charges if charge["charge_type"] == "Debit"]
    assume(charged["total_sell"] is not None)
    assert charged["total_sell"] == charged["unit_sell"] * charged["quantity"]
    returned = [charge for charge in charges if charge["charge_type"] == "Credit"]
    assert len(returned) == len(parts)
    assert sum(pick(returned, "total_sell")) == -charged["total_sell"]
    assert sum(pick(returned, "total_cost")) == -charged["total_cost"]
    assert {charge["price_term_id"] for charge in charges} == {"agreed"}
    # One arrival, one order of rows or the other: the same amounts.
    assert price(connection, replace(month, items=tuple(reversed(month.items)))) == charges
