"""What must hold of a world's money at any moment: nothing is lost, billed twice, or changed once it is issued."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce

import polars as pl
from sqlalchemy import select

from billing_pipeline.invoicing import Invoice
from billing_pipeline.ledger.content import canonical_json, content_sha256, sha256_of_content
from billing_pipeline.ledger.documents import load_invoices
from billing_pipeline.ledger.tables import invoices, issued_contents
from billing_pipeline.money import EXACT, minor_unit, round_money
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from resources.billed_charges import find_snapshot
from resources.carriers import sha256_of
from resources.ledger import charges_behind, reading
from tests.properties.billing_world import World
from tests.properties.vendor_months import Delivery, current
from tests.sql.inline import Row

ZERO = Decimal(0)


@dataclass(frozen=True, order=True)
class Account:
    """Whose money of which vendor's account and month, in which currency; `customer` is None for the vendor's side."""

    customer: str | None
    source: str
    account: str
    period: str
    currency: str

    @property
    def of_vendor(self) -> "Account":
        """The same without the customer."""
        return replace(self, customer=None)


@dataclass(frozen=True)
class Money:
    """Exact amounts in one currency.

    Attributes:
        amount: what the customer owes.
        cost: what the vendor charges for it.
    """

    amount: Decimal = ZERO
    cost: Decimal = ZERO

    def __add__(self, other: "Money") -> "Money":
        return Money(EXACT.add(self.amount, other.amount), EXACT.add(self.cost, other.cost))


Accounts = Mapping[Account, Money]


def owed(world: World, *, with_fees: bool, with_estimates: bool) -> Accounts:
    """Return what customers owe by what the current deliveries say, whatever has been billed of it.

    Args:
        with_fees: whether marketplace fees are passed on.
        with_estimates: whether charges that the vendor may still change are billed.
    """
    buckets = {"billed", *(["not_yet_final"] if with_estimates else [])}
    found: dict[Account, Money] = defaultdict(Money)
    for row in _rows_of_current(world, PRICED_LINE_ITEMS.name):
        is_fee = row["bucket"] == "marketplace_fee" and with_fees and (row["is_final"] or with_estimates)
        if row["customer_id"] is None or not (is_fee or row["bucket"] in buckets):
            continue
        amount = row["total_cost"] if is_fee else row["total_sell"]
        found[_account(row, row["customer_id"])] += Money(amount, row["total_cost"])
    return found


def billed(world: World, is_counted: Callable[[Invoice], bool] = lambda _: True) -> Accounts:
    """Return what the snapshots of documents that are not void have billed, adjustments among it.

    Args:
        is_counted: which documents count.
    """
    found: dict[Account, Money] = defaultdict(Money)
    for document in world.documents():
        if document.status != "void" and is_counted(document):
            for row in charges_behind(world.engine, world.lake, document.invoice_id).iter_rows(named=True):
                account = _account(row, document.customer.id)
                found[account] += Money(row["amount_precise"], row["total_cost"])
    return found


def same(one: Accounts, other: Accounts, where: Callable[[Account], bool] = lambda _: True) -> dict[Account, object]:
    """Return where two books differ; nothing where they agree."""
    accounts = sorted(account for account in {*one, *other} if where(account))
    pairs = ((account, one.get(account, Money()), other.get(account, Money())) for account in accounts)
    return {account: (left, right) for account, left, right in pairs if left != right}


def check_buckets(world: World) -> None:
    """Check that every cent of every current delivery is in a bucket, and that the rows are as delivered."""
    found: dict[Account, Decimal] = defaultdict(Decimal)
    for row in _rows_of_current(world, USAGE_RECONCILIATION.name):
        account = _account(row, None)
        found[account] = EXACT.add(found[account], row["amount"])
    assert found == vendor_totals(current(world.deliveries))


def vendor_totals(deliveries: Iterable[Delivery]) -> dict[Account, Decimal]:
    """Return what the vendors charge."""
    return {
        Account(None, one.source, one.account, one.period, currency): total
        for one in deliveries
        for currency, total in one.totals().items()
    }


def check_remainder(world: World, booked: Accounts, with_fees: bool) -> None:
    """Check that what vendors charge is what was billed and adjusted, and the buckets that say why not.

    Args:
        booked: what documents have billed, once every delivery is final and every month drafted.
    """
    found: dict[Account, Decimal] = defaultdict(Decimal)
    for account, money in booked.items():
        found[account.of_vendor] = EXACT.add(found[account.of_vendor], money.cost)
    passed_on = {"billed", *(["marketplace_fee"] if with_fees else [])}
    for row in _rows_of_current(world, PRICED_LINE_ITEMS.name):
        if row["bucket"] not in passed_on or row["customer_id"] is None:
            account = _account(row, None)
            found[account] = EXACT.add(found[account], row["total_cost"])
    totals = vendor_totals(current(world.deliveries))
    differing = {one: (found[one], totals.get(one)) for one in {*found, *totals} if found[one] != totals.get(one, ZERO)}
    assert not differing, differing


def check_documents(world: World) -> None:
    """Check the arithmetic of every document against the charges behind it, and that no charge is billed twice."""
    seen: dict[str, str] = {}
    for document in world.documents():
        if document.document_type != "invoice":
            continue
        charges = charges_behind(world.engine, world.lake, document.invoice_id)
        _check_lines(document, charges)
        if document.status == "void":
            continue
        for charge in charges.filter(pl.col("cause").is_null())["charge_id"]:
            assert charge not in seen, f"{charge} is on {seen[charge]} and {document.invoice_id}"
            seen[charge] = document.invoice_id


def _check_lines(document: Invoice, charges: pl.DataFrame) -> None:
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for number, amount in charges.select("line_number", "amount_precise").iter_rows():
        sums[number] = EXACT.add(sums[number], amount)
    counts = dict(charges.group_by("line_number").len().iter_rows())
    unit = minor_unit(document.currency)
    for line in document.lines:
        assert counts.get(line.line_number, 0) == line.charge_count, (document.invoice_id, line)
        if line.charge_count:
            charged = line.amount_precise if line.charged_currency is None else line.charged_amount
            assert sums[line.line_number] == charged, (document.invoice_id, line)
        assert abs(line.amount - line.amount_precise) < unit
    exact = reduce(EXACT.add, (line.amount_precise for line in document.lines), ZERO)
    assert document.subtotal == sum(line.amount for line in document.lines) == round_money(exact, document.currency)
    assert document.total == document.subtotal + document.tax_total - document.credits_applied


@dataclass(frozen=True)
class Issued:
    """What an issued document is for ever."""

    content: str
    snapshot_sha256: str | None


def issued(world: World) -> dict[str, Issued]:
    """Return the bytes of every document that is no draft, after checking them against their hashes."""
    found = {}
    with reading(world.engine).connect() as connection:
        contents = {row.invoice_id: row.content for row in connection.execute(select(issued_contents))}
        columns = (invoices.c.invoice_id, invoices.c.billing_period, invoices.c.charges_sha256)
        heads = connection.execute(select(*columns, invoices.c.content_sha256).where(invoices.c.status != "draft"))
        documents = {one.invoice_id: one for one in load_invoices(connection)}
        for head in heads:
            content = contents[head.invoice_id]
            assert sha256_of_content(content) == head.content_sha256 == content_sha256(documents[head.invoice_id])
            assert content == canonical_json(documents[head.invoice_id])
            if head.charges_sha256:
                place = find_snapshot(world.lake, (head.billing_period, head.charges_sha256))
                assert sha256_of(place) == head.charges_sha256
            found[head.invoice_id] = Issued(content, head.charges_sha256)
    return found


def check_numbers(documents: Iterable[Invoice]) -> None:
    """Check that the numbers of a year have no gap."""
    numbers = sorted(one.invoice_number for one in documents if one.invoice_number)
    assert numbers == [f"INV-2026-{count:06d}" for count in range(1, len(numbers) + 1)]


def _rows_of_current(world: World, table: str) -> Iterable[Row]:
    """Return the rows that a table of the lake has for current deliveries."""
    newest = current(world.deliveries)
    files = world.lake.files(table, sorted({f"{one.received_at:%Y-%m-%d}" for one in newest}))
    ids = [one.delivery_id for one in newest]
    for file in files:
        rows = pl.read_parquet(file, hive_partitioning=False)
        yield from rows.filter(pl.col("delivery_id").is_in(ids)).iter_rows(named=True)


def _account(row: Row, customer: str | None) -> Account:
    return Account(customer, row["source"], row["billing_account_id"], row["billing_period"], row["currency"])
