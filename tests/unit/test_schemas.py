"""No money is floating point, every table and column says what it is, and the promised ones are there."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from billing_pipeline.ledger.tables import metadata as ledger_metadata
from billing_pipeline.schemas import (
    customer_charges,
    deliveries,
    invoices,
    priced_line_items,
    reconciliation,
    vendor_charges,
)
from billing_pipeline.schemas.reference import REFERENCE_FILES
from billing_pipeline.schemas.reference_file import ReferenceFile
from billing_pipeline.schemas.table import Table
from resources.published_tables import WAREHOUSE_TABLES
from resources.publishing import publish_warehouse
from tests.workspaces import make_workspace

DECLARED = {
    value.name: value
    for module in (customer_charges, deliveries, invoices, priced_line_items, reconciliation, vendor_charges)
    for value in vars(module).values()
    if isinstance(value, Table)
} | {table.name: table for table in WAREHOUSE_TABLES}

# The contract of spec/interfaces.md, word for word: others query these names.
PROMISED = {
    "deliveries": "delivery_id, source, billing_account_id, billing_period, received_at, is_final, is_current,"
    " file_count, row_count, total_cost, currency, sha256",
    "quarantine": "source, file_name, sha256, reason, row_number, column_name, value, seen_at",
    "vendor_charges": "charge_id, source, delivery_id, row_number, billing_period, billed_cost, list_cost,"
    " charge_period_start, charge_period_end, sub_account_id, invoice_id, charge_category,"
    " charge_class, billing_account_id, billing_currency, effective_cost, contracted_cost,"
    " pricing_quantity, pricing_unit, sku_id, sku_price_id, service_name, tags",
    "usage_reconciliation": "source, billing_account_id, billing_period, currency, bucket, amount, row_count",
    "billing_status": "source, billing_period, state, is_final, vendor_total, rows_total, difference,"
    " expected_settled_on",
    "priced_line_items": "line_item_id, charge_id, source, customer_id, product_id, product_name, product_type,"
    " billing_period, invoice_number, invoice_date, charge_type, order_channel, period_start,"
    " period_end, quantity, unit, unit_cost, unit_sell, total_cost, total_sell, currency, margin,"
    " price_term, price_term_id, srp, derived_markup_percent",
    "customer_charges": "invoice_number, invoice_date, type, customer, description, start_date, end_date,"
    " unit_cost_price, unit_sell_price, quantity, unit, total_cost_price, total_sell_price,"
    " product_type, product_name, currency, line_item_id",
    "excluded_charges": "line_number, invoice_number, reason",
    "invoices": "invoice_id, invoice_number, status, customer_id, billing_period, currency, subtotal, tax_total,"
    " credits_applied, total, due_date, created_at, opened_at, closed_at, content_sha256",
    "invoice_lines": "invoice_id, line_number, product_type, description, quantity, amount_precise, amount,"
    " tax_category, line_kind",
    "invoice_errors": "customer_id, billing_period, reason",
    "margin_leaks": "kind, customer_id, source, billing_period, amount, currency, detail",
}
NUMBERS = ("row_number", "installment_number", "x_installment_number", "line_number", "adjusts_line_number")
EXACT = ("VARCHAR", "BOOLEAN", "INTEGER", "BIGINT", "DATE", "TIMESTAMP WITH TIME ZONE", "DECIMAL(")


def is_floating_point(duckdb_type: str) -> bool:
    """Whether a type, or a part of it, is floating point; a type nobody knows counts as one."""
    return not duckdb_type.startswith(EXACT) or any(word in duckdb_type for word in ("DOUBLE", "FLOAT", "REAL"))


@pytest.mark.parametrize("duckdb_type", ["DOUBLE", "FLOAT", "STRUCT(a DOUBLE)", "MAP(VARCHAR, DOUBLE)", "DOUBLE[]"])
def test_the_check_itself_knows_floating_point(duckdb_type: str) -> None:
    assert is_floating_point(duckdb_type)


@pytest.mark.parametrize("table", DECLARED.values(), ids=DECLARED)
def test_no_declared_table_has_floating_point(table: Table) -> None:
    assert [column.name for column in table.columns if is_floating_point(column.type)] == []
    assert not any(dtype.is_float() for dtype in table.empty_frame().dtypes)


@pytest.mark.parametrize("table", DECLARED.values(), ids=DECLARED)
def test_every_declared_table_and_column_says_what_it_is(table: Table) -> None:
    assert table.grain
    assert [column.name for column in table.columns if not column.meaning.endswith((".", "..."))] == []
    assert len(set(table.column_names)) == len(table.column_names)


@pytest.mark.parametrize("table", DECLARED.values(), ids=DECLARED)
def test_an_amount_is_never_without_its_currency(table: Table) -> None:
    names = {column.name for column in table.columns}
    amounts = {
        name for name in names if name.endswith(("_cost", "_total", "amount", "total")) or name.startswith("total_")
    }
    assert not amounts or names & {"currency", "billing_currency", "invoice_id"}


@pytest.mark.parametrize("file", REFERENCE_FILES, ids=lambda file: file.name)
def test_no_reference_file_has_floating_point(file: ReferenceFile) -> None:
    assert [name for name, dtype in file.frame_types.items() if dtype.is_float()] == []


@pytest.mark.parametrize("table", ledger_metadata.sorted_tables, ids=lambda table: table.name)
@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
def test_no_table_of_the_ledger_has_floating_point(table: sa.Table, dialect: sa.Dialect) -> None:
    types = {column.name: column.type.compile(dialect) for column in table.columns}
    # On SQLite NUMERIC is stored as floating point too.
    forbidden = ("FLOAT", "REAL", "DOUBLE") + (("NUMERIC", "DECIMAL") if dialect.name == "sqlite" else ())
    assert {name: kind for name, kind in types.items() if kind.upper().startswith(forbidden)} == {}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    workspace = make_workspace(tmp_path_factory.mktemp("schemas") / "home")
    publish_warehouse(workspace, date(2026, 11, 1))
    with duckdb.connect(str(workspace.warehouse), read_only=True) as connection:
        yield connection


COLUMNS = "select table_name, column_name, data_type, comment from duckdb_columns() where not internal"


def test_no_column_of_the_published_warehouse_is_floating_point(warehouse: duckdb.DuckDBPyConnection) -> None:
    columns = warehouse.execute(COLUMNS).fetchall()
    assert len(columns) > 200
    assert [(table, name, kind) for table, name, kind, _ in columns if is_floating_point(kind)] == []


def test_every_table_and_column_of_the_published_warehouse_has_a_comment(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert [(table, name) for table, name, _, comment in warehouse.execute(COLUMNS).fetchall() if not comment] == []
    tables = warehouse.execute(
        "select table_name, comment from duckdb_tables() where not internal"
        " union all select view_name, comment from duckdb_views() where not internal"
    ).fetchall()
    assert {name for name, _ in tables} >= set(PROMISED)
    assert [name for name, comment in tables if not str(comment).startswith("Grain: ")] == []


@pytest.mark.parametrize("table", PROMISED)
def test_a_promised_table_has_its_promised_columns(warehouse: duckdb.DuckDBPyConnection, table: str) -> None:
    found = {name for table_name, name, *_ in warehouse.execute(COLUMNS).fetchall() if table_name == table}
    assert set(PROMISED[table].split(", ")) - found == set()


def test_promised_types_are_kept(warehouse: duckdb.DuckDBPyConnection) -> None:
    for table, name, kind, _ in warehouse.execute(COLUMNS).fetchall():
        if name.endswith("_at"):
            assert kind == "TIMESTAMP WITH TIME ZONE", (table, name)
        if name.endswith(("_date", "_on")):
            assert kind == "DATE", (table, name)
        if name.endswith(("_id", "_number", "currency")) and name not in NUMBERS:
            assert kind == "VARCHAR", (table, name)
