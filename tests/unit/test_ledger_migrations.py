"""The ledger's schema: the same from scratch as by every step, older ledgers taken along, newer ones refused."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, select, text

from billing_pipeline.ledger import migrations, tables
from billing_pipeline.ledger.documents import load_invoices
from billing_pipeline.ledger.migrations import schema_version
from resources.ledger import LedgerUnusable, open_ledger
from tests.ledger_documents import draft, put

REVISIONS = Path(migrations.__file__).parent / "revisions"


def config(connection: Connection | None = None) -> Config:
    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(REVISIONS))
    return made


def schema(engine: Engine) -> dict[str, object]:
    """Everything a database tells of its tables, but the order of columns, which an older ledger has another."""
    look = inspect(engine)
    return {
        name: {
            "columns": sorted(
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in look.get_columns(name)
            ),
            "key": look.get_pk_constraint(name),
            "foreign": look.get_foreign_keys(name),
            "unique": look.get_unique_constraints(name),
            "checks": look.get_check_constraints(name),
            "indexes": look.get_indexes(name),
        }
        for name in sorted(tables.metadata.tables)
    }


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, ledger_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database without anything in it, on each database."""
    if ledger_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    engine.dispose()
    yield ledger_url


def first_version(url: str) -> None:
    """Make a ledger as the first version of this program left it: with a draft, counted in a table of its own."""
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(config(connection), "0001")
        for statement in (
            "drop table alembic_version",
            "create table schema_version (version integer primary key)",
            "insert into schema_version values (1)",
            "insert into invoices values ('2026-10-c1-EUR', null, 'draft', 'c1', '2026-10', 'EUR', '1.50', '0', '0', "
            "'1.50',"
            ' null, \'2026-11-09T07:00:00.000000+00:00\', null, null, \'x\', \'{"id":"c1","name":"Acme"}\','
            ' \'{"id":"contoso","name":"Contoso"}\', \'[]\', \'[]\')',
            "insert into invoice_lines values ('2026-10-c1-EUR', 1, 'Compute', 'vm', 'Machines', 'Hours', null, null,"
            " '1.500000000000000000000001', '1.50', 'standard', 'usage')",
            "insert into invoice_line_charges values ('2026-10-c1-EUR', 1, 'k1')",
        ):
            connection.execute(text(statement.replace(":", r"\:")))
    engine.dispose()


def test_the_revisions_lead_to_the_tables_that_the_program_knows(ledger: Engine) -> None:
    with ledger.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": False, "include_name": lambda name, *_: name != "alembic_version"}
        )
        assert compare_metadata(context, tables.metadata) == []
        assert schema_version(connection) == tables.SCHEMA_VERSION


def test_the_program_works_with_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [tables.SCHEMA_VERSION]


def test_tables_made_at_once_and_by_every_step_are_the_same(empty_url: str) -> None:
    at_once = create_engine(empty_url)
    tables.metadata.create_all(at_once)
    made = schema(at_once)
    with at_once.begin() as connection:
        tables.metadata.drop_all(connection)
    at_once.dispose()
    by_steps = open_ledger(empty_url)
    assert schema(by_steps) == made
    by_steps.dispose()


def test_a_ledger_of_the_first_version_is_taken_along_with_its_drafts(empty_url: str) -> None:
    first_version(empty_url)
    engine = open_ledger(empty_url)
    with engine.connect() as connection:
        (found,) = load_invoices(connection)
        assert schema_version(connection) == tables.SCHEMA_VERSION
    assert str(found.lines[0].amount_precise) == "1.500000000000000000000001"
    assert (found.lines[0].charge_count, found.taxes, found.document_type) == (0, (), "invoice")
    assert not {"invoice_line_charges", "schema_version"} & set(inspect(engine).get_table_names())
    assert put(engine, draft()).replaced == ("2026-10-c1-EUR",)
    engine.dispose()


def test_an_approved_document_of_the_first_version_is_refused_and_left_as_it_is(empty_url: str) -> None:
    first_version(empty_url)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("update invoices set status = 'open', invoice_number = 'INV-1'"))
    with pytest.raises(LedgerUnusable, match="has schema version 0001; its document 2026-10-c1-EUR is no draft"):
        open_ledger(empty_url)
    with engine.connect() as connection:
        assert schema_version(connection) == "0001"
        assert connection.scalar(text("select count(*) from invoice_line_charges")) == 1
    assert "credit_uses" not in inspect(engine).get_table_names()
    engine.dispose()


def test_a_ledger_of_a_newer_version_is_refused(ledger: Engine, ledger_url: str) -> None:
    with ledger.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(LedgerUnusable, match="has schema version 9999; this program works with 0004"):
        open_ledger(ledger_url)


def test_a_newer_version_from_before_the_revisions_is_refused(empty_url: str) -> None:
    first_version(empty_url)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("update schema_version set version = 7"))
    engine.dispose()
    with pytest.raises(LedgerUnusable, match="has schema version 7; this program works with 0004"):
        open_ledger(empty_url)


def test_opening_a_ledger_again_finds_its_documents_and_writes_nothing(ledger: Engine, ledger_url: str) -> None:
    put(ledger, draft())
    again = open_ledger(ledger_url)
    with again.connect() as connection:
        assert load_invoices(connection) == (draft(),)
    again.dispose()


def test_no_column_is_floating_point_and_amounts_are_exact(ledger: Engine) -> None:
    for name in tables.metadata.tables:
        types = {str(column["type"]).upper().split("(")[0] for column in inspect(ledger).get_columns(name)}
        assert not {"FLOAT", "REAL", "DOUBLE", "DOUBLE PRECISION"} & types, name
    put(ledger, draft())
    with ledger.connect() as connection:
        created = connection.scalar(select(tables.invoices.c.created_at))
    assert created == datetime(2026, 11, 9, 7, tzinfo=UTC)
