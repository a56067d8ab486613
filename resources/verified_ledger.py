"""Whether documents are what was approved, add up, have gapless numbers, and bill the charges kept with them.

The ledger is opened read-only, and neither made nor brought forward. What does not belong here: what must hold inside a
document (`billing_pipeline.verification`).
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import duckdb
from sqlalchemy import Connection, Engine, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.documents import load_invoices
from billing_pipeline.ledger.migrations import schema_version
from billing_pipeline.ledger.numbers import NumberSeries
from billing_pipeline.ledger.tables import SCHEMA_VERSION, invoice_numbers, invoices, issued_contents
from billing_pipeline.verification import (
    LineSum,
    Problem,
    Series,
    Verified,
    conversion_problems,
    document_problems,
    first_line,
    line_problems,
    number_problems,
)
from resources.billed_charges import Snapshot, SnapshotMissing, find_snapshot, snapshot_name
from resources.carriers import sha256_of
from resources.lake import Lake, quoted
from resources.ledger import LedgerUnusable
from resources.verified_archive import Watch

# Documents of a month may have a hundred thousand lines together.
_DOCUMENTS_AT_ONCE = 200
_MOST_NAMED = 3


class _Stated(NamedTuple):
    """A document's id, the hash recorded of its content, and its content as approved."""

    invoice_id: str
    content_sha256: str
    content: str | None


@contextmanager
def ledger_to_look_at(url: str, home: Path) -> Iterator[Engine | None]:
    """Open the ledger read-only; give None where there is none yet.

    Args:
        url: as `[ledger] url` in billing.toml; a relative SQLite path begins in `home`.

    Raises:
        LedgerUnusable: it cannot be read, or belongs to another version of this program.
    """
    shown = url
    try:
        location = make_url(url)
        shown = location.render_as_string(hide_password=True)
        if location.get_backend_name() == "sqlite":
            path = home / str(location.database)
            if not path.is_file():
                yield None
                return
            address = f"{path.absolute().as_uri()}?mode=ro"
            opened = partial(sqlite3.connect, address, uri=True, isolation_level=None)
            engine = create_engine("sqlite://", creator=opened, poolclass=NullPool)
            # The driver begins no transaction of its own for a select; one gives all selects the same state.
            event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("begin"))
        else:
            settings = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            engine = create_engine(location, poolclass=NullPool, execution_options=settings)
        with engine.connect() as connection:
            version = schema_version(connection)
    except (ArgumentError, NoSuchModuleError, ImportError, DBAPIError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise LedgerUnusable(f"ledger {shown}: {reason}") from error
    if version != SCHEMA_VERSION:
        raise LedgerUnusable(
            f"ledger {shown} has schema version {version}, this program works with {SCHEMA_VERSION}; a command that"
            " changes documents brings an older one forward"
        )
    try:
        yield engine
    finally:
        engine.dispose()


def verify_documents(connection: Connection, watch: Watch) -> Verified:
    """Compare every document with the hash of its content, and its lines, taxes and credits with its totals."""
    names = connection.execute(select(invoices.c.invoice_id).order_by(invoices.c.invoice_id)).scalars().all()
    problems: list[Problem] = []
    for start, chunk in enumerate(_chunks(names)):
        watch(f"document {start * _DOCUMENTS_AT_ONCE + 1} of {len(names)}")
        stated = _hashes(connection, chunk)
        for row, invoice in _readable(connection, stated, problems):
            found = document_problems(invoice, row.content_sha256, row.content) + conversion_problems(invoice)
            problems += [Problem(_called(invoice), difference) for difference in found]
    return Verified("documents", len(names), "documents", tuple(problems))


def verify_numbers(connection: Connection, watch: Watch) -> Verified:
    """Look for numbers that no document has, in every series of every organisation and year."""
    watch("numbers")
    given: defaultdict[str, set[str]] = defaultdict(set)
    numbered = select(invoices.c.organisation, invoices.c.invoice_number).where(invoices.c.invoice_number.is_not(None))
    for organisation, number in connection.execute(numbered):
        given[organisation["id"]].add(number)
    count = sum(map(len, given.values()))
    problems = []
    order = (invoice_numbers.c.organisation_id, invoice_numbers.c.series, invoice_numbers.c.year)
    counted: set[str] = set()
    for row in connection.execute(select(invoice_numbers).order_by(*order)):
        series = NumberSeries(row.organisation_id, row.series, row.year)
        found = number_problems(Series(series, row.last_number, frozenset(given[row.organisation_id])))
        problems += [Problem(f"series {row.series}-{row.year} of {row.organisation_id}", text) for text in found]
        counted.add(f"{row.organisation_id}/{row.series}-{row.year}")
    for organisation_id, numbers in sorted(given.items()):
        unknown = sorted(one for one in numbers if f"{organisation_id}/{one.rpartition('-')[0]}" not in counted)
        problems += [Problem(number, f"no series of {organisation_id} has given it") for number in unknown]
    return Verified("numbers", count, "numbers", tuple(problems))


def verify_snapshots(session: duckdb.DuckDBPyConnection, connection: Connection, lake: Lake, watch: Watch) -> Verified:
    """Compare snapshots of charges with the SHA-256 they are named by, and every document's lines with their charges.

    Args:
        session: an empty DuckDB session.
        connection: the ledger.
    """
    users: defaultdict[Snapshot | None, list[str]] = defaultdict(list)
    columns = (invoices.c.invoice_id, invoices.c.billing_period, invoices.c.charges_sha256)
    for name, period, sha256 in connection.execute(select(*columns).order_by(*columns)):
        users[None if sha256 is None else (period, sha256)].append(name)
    problems: list[Problem] = []
    snapshots = sorted(snapshot for snapshot in users if snapshot is not None)
    for number, snapshot in enumerate(snapshots, 1):
        watch(f"snapshot {number} of {len(snapshots)}")
        try:
            sums = _sums(session, lake, snapshot)
        except (SnapshotMissing, OSError, duckdb.Error) as error:
            problems.append(
                Problem(snapshot_name(snapshot), f"{first_line(error)} (it is behind {_few(users[snapshot])})")
            )
            continue
        problems += _lines(connection, users[snapshot], sums)
    # A document without snapshot has no charges.
    problems += _lines(connection, users[None], {})
    return Verified("billed charges", len(snapshots), "snapshots", tuple(problems))


def _sums(session: duckdb.DuckDBPyConnection, lake: Lake, snapshot: Snapshot) -> Mapping[str, Mapping[int, LineSum]]:
    path = find_snapshot(lake, snapshot)
    if (sha256 := sha256_of(path)) != snapshot[1]:
        raise SnapshotMissing(f"it was changed: its SHA-256 is {sha256}")
    rows = session.execute(
        "select invoice_id, line_number, currency, count(*), sum(amount_precise) from"
        f" read_parquet({quoted(path)}, hive_partitioning = false) group by invoice_id, line_number, currency"
        " order by all"
    ).fetchall()
    sums: defaultdict[str, dict[int, LineSum]] = defaultdict(dict)
    for invoice_id, line_number, currency, count, amount in rows:
        sums[invoice_id][line_number] = LineSum(currency, count, amount)
    return sums


def _lines(connection: Connection, names: list[str], sums: Mapping[str, Mapping[int, LineSum]]) -> Iterator[Problem]:
    for chunk in _chunks(names):
        # What of it cannot be read is told by `verify_documents`.
        for _, invoice in _readable(connection, _hashes(connection, chunk), []):
            for difference in line_problems(invoice, sums.get(invoice.invoice_id, {})):
                yield Problem(_called(invoice), difference)


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _DOCUMENTS_AT_ONCE):
        yield names[start : start + _DOCUMENTS_AT_ONCE]


def _hashes(connection: Connection, names: Sequence[str]) -> list[_Stated]:
    wanted = select(invoices.c.invoice_id, invoices.c.content_sha256, issued_contents.c.content)
    joined = wanted.outerjoin(issued_contents, invoices.c.invoice_id == issued_contents.c.invoice_id)
    rows = connection.execute(joined.where(invoices.c.invoice_id.in_(names)).order_by(invoices.c.invoice_id))
    return [_Stated(*row) for row in rows]


def _readable(
    connection: Connection, stated: list[_Stated], problems: list[Problem]
) -> Iterator[tuple[_Stated, Invoice]]:
    """Read documents, one by one where they cannot be read together because a value of one is damaged."""
    try:
        found = {
            one.invoice_id: one for one in load_invoices(connection, invoice_ids=[row.invoice_id for row in stated])
        }
        yield from ((row, found[row.invoice_id]) for row in stated)
    except _DAMAGED as error:
        if len(stated) > 1:
            for row in stated:
                yield from _readable(connection, [row], problems)
        else:
            problems.append(Problem(stated[0].invoice_id, f"it cannot be read: {error!r}"))


_DAMAGED = (ArithmeticError, ValueError, TypeError, KeyError, SQLAlchemyError)


def _called(invoice: Invoice) -> str:
    return f"{invoice.invoice_number} ({invoice.invoice_id})" if invoice.invoice_number else invoice.invoice_id


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
