"""Snapshots of billed charges: written before the ledger refers to them, never changed, removed when nothing does."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import Engine, update

from billing_pipeline.invoicing import Drafted, Invoice, InvoiceLine, Party
from billing_pipeline.ledger import tables
from billing_pipeline.ledger.documents import InvoiceNotFound, list_snapshots
from billing_pipeline.ledger.operations import ReplaceResult, replace_drafts
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.billed_charges import BILLED_CHARGES
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from resources.billed_charges import SnapshotMissing, SnapshotWriter, select_billed
from resources.carriers import sha256_of
from resources.lake import Lake
from resources.ledger import charges_behind, open_ledger, remove_old_snapshots
from tests.sql.adjustments import make_adjustments
from tests.sql.inline import make, table_types
from tests.workspaces import files_below

PERIOD = BillingPeriod("2026-10")
MONDAY = datetime(2026, 11, 9, 7, 0, tzinfo=UTC)
ITEM: dict[str, Any] = {
    "source": "aws",
    "delivery_id": "d1",
    "billing_account_id": "b1",
    "billing_period": "2026-10",
    "currency": "EUR",
    "product_type": "Compute",
    "product_id": "vm",
    "product_name": "Machines",
    "unit": "Hours",
    "charge_type": "Debit",
    "charge_category": "Usage",
    "charge_nature": "usage",
    "period_start": date(2026, 10, 1),
    "quantity": Decimal(1),
    "total_cost": Decimal("1.00"),
    "total_sell": Decimal("1.50"),
    "tax_category": "standard",
    "bucket": "billed",
    "is_final": True,
    "row_count": 24,
}


def draft(customer_id: str, *charge_ids: str) -> Invoice:
    amount = Decimal("1.50") * len(charge_ids)
    line = InvoiceLine(
        line_number=1,
        product_type="Compute",
        product_id="vm",
        product_name="Machines",
        description="Hours of machines",
        quantity=Decimal(len(charge_ids)),
        unit="Hours",
        amount_precise=amount,
        amount=amount,
        tax_category="standard",
        line_kind="usage",
        charge_count=len(charge_ids),
        charges_sha256=" ".join(charge_ids) or None,
    )
    return Invoice(
        invoice_id=f"2026-10-{customer_id}-EUR",
        invoice_number=None,
        status="draft",
        customer=Party(customer_id, "Acme"),
        organisation=Party("contoso", "Contoso"),
        billing_period="2026-10",
        currency="EUR",
        lines=(line,),
        subtotal=amount,
        tax_total=Decimal("0.00"),
        credits_applied=Decimal("0.00"),
        total=amount,
        due_date=date(2026, 11, 30),
    )


class Drafting:
    """A ledger, a lake, and runs of drafts over charges written in the test."""

    def __init__(self, home: Path) -> None:
        self.engine: Engine = open_ledger("sqlite:///ledger.db", home)
        self.lake = Lake(home / "lake")
        self.connection = duckdb.connect()

    def run(self, charges: dict[str, Sequence[str]], fails: bool = False) -> ReplaceResult:
        """Draft one invoice per customer from its charge ids."""
        rows = [{"customer_id": name, "charge_id": charge} for name, own in charges.items() for charge in own]
        make(self.connection, "billable_items", table_types(PRICED_LINE_ITEMS), *rows, defaults=ITEM)
        make(self.connection, "draft_options", {"include_not_final": "boolean"}, {"include_not_final": False})
        self.connection.execute(f"create or replace temp view drafted_items as {load_sql('invoicing/drafted_items')}")
        make_adjustments(self.connection)
        drafted = Drafted(tuple(draft(name, *own) for name, own in charges.items()), ())
        with self.engine.begin() as transaction:
            writer = SnapshotWriter(self.connection, self.lake, PERIOD.text)
            result = replace_drafts(transaction, PERIOD, drafted, MONDAY, "ann", writer)
            if fails:
                raise KeyboardInterrupt
        return result

    def charges_of(self, customer_id: str) -> list[str]:
        return charges_behind(self.engine, self.lake, f"2026-10-{customer_id}-EUR", 1)["charge_id"].to_list()

    def files(self) -> dict[str, bytes]:
        return files_below(self.lake.root)


@pytest.fixture
def drafting(tmp_path: Path) -> Iterator[Drafting]:
    made = Drafting(tmp_path)
    yield made
    made.connection.close()
    made.engine.dispose()


def test_a_run_writes_one_file_named_by_its_hash_and_every_document_refers_to_it(drafting: Drafting) -> None:
    drafting.run({"c1": ["b", "a"], "c2": ["c"]})
    (path,) = (drafting.lake.root / "billed_charges" / "2026-10").iterdir()
    assert path.stem == sha256_of(path)
    with drafting.engine.connect() as connection:
        assert list_snapshots(connection) == {("2026-10", path.stem)}
    assert drafting.charges_of("c1") == ["a", "b"]
    found = charges_behind(drafting.engine, drafting.lake, "2026-10-c2-EUR")
    assert tuple(found.columns) == BILLED_CHARGES.column_names
    assert found.row(0, named=True)["amount_precise"] == Decimal("1.50")


def test_a_repeated_run_writes_nothing_and_another_workspace_gets_the_same_bytes(
    drafting: Drafting, tmp_path: Path
) -> None:
    drafting.run({"c1": ["a"], "c2": ["c"]})
    before = drafting.files()
    assert drafting.run({"c1": ["a"], "c2": ["c"]}).unchanged == ("2026-10-c1-EUR", "2026-10-c2-EUR")
    assert drafting.files() == before
    (tmp_path / "other").mkdir()
    other = Drafting(tmp_path / "other")
    other.run({"c1": ["a"], "c2": ["c"]})
    assert other.files() == before


def test_a_changed_draft_refers_to_a_new_file_and_the_others_to_the_old_one(drafting: Drafting) -> None:
    drafting.run({"c1": ["a"], "c2": ["c"]})
    before = drafting.files()
    drafting.run({"c1": ["a", "b"], "c2": ["c"]})
    remove_old_snapshots(drafting.engine, drafting.lake)
    assert len(drafting.files()) == 2
    assert before.items() < drafting.files().items()
    assert (drafting.charges_of("c1"), drafting.charges_of("c2")) == (["a", "b"], ["c"])


def test_the_charges_of_all_documents_are_those_each_refers_to(drafting: Drafting) -> None:
    drafting.run({"c1": ["a"], "c2": ["c"]})
    drafting.run({"c1": ["a", "b"], "c2": ["c"]})
    with drafting.engine.connect() as connection:
        query = select_billed(drafting.lake, list_snapshots(connection), "documents")
        rows = connection.exec_driver_sql("select invoice_id, charges_sha256 from invoices").fetchall()
    columns = {"invoice_id": "varchar", "charges_sha256": "varchar"}
    make(drafting.connection, "documents", columns, *(row._asdict() for row in rows))
    found = drafting.connection.execute(f"select invoice_id, charge_id from ({query}) order by all").fetchall()
    assert found == [("2026-10-c1-EUR", "a"), ("2026-10-c1-EUR", "b"), ("2026-10-c2-EUR", "c")]


def test_a_snapshot_that_no_document_refers_to_any_more_is_removed(drafting: Drafting) -> None:
    drafting.run({"c1": ["a"]})
    (old,) = drafting.files()
    drafting.run({"c1": ["b"]})
    assert old in drafting.files()
    assert [
        str(path.relative_to(drafting.lake.root)) for path in remove_old_snapshots(drafting.engine, drafting.lake)
    ] == [old]
    assert drafting.charges_of("c1") == ["b"]


def test_the_snapshot_of_an_approved_document_stays_whatever_is_drafted_later(drafting: Drafting) -> None:
    drafting.run({"c1": ["a"], "c2": ["c"]})
    approved = update(tables.invoices).where(tables.invoices.c.customer_id == "c1")
    with drafting.engine.begin() as connection:
        connection.execute(approved.values(status="open", invoice_number="INV-1"))
    drafting.run({"c1": ["z"], "c2": ["d"]})
    remove_old_snapshots(drafting.engine, drafting.lake)
    assert (drafting.charges_of("c1"), drafting.charges_of("c2")) == (["a"], ["d"])


def test_a_run_that_is_killed_before_its_commit_leaves_the_old_documents_and_a_file_that_the_next_removes(
    drafting: Drafting,
) -> None:
    drafting.run({"c1": ["a"]})
    before = drafting.files()
    with pytest.raises(KeyboardInterrupt):
        drafting.run({"c1": ["b"]}, fails=True)
    unfinished = drafting.lake.root / "billed_charges" / "2026-10" / "unfinished.parquet"
    unfinished.write_bytes(b"")
    assert len(drafting.files()) == 3
    assert drafting.charges_of("c1") == ["a"]
    remove_old_snapshots(drafting.engine, drafting.lake)
    assert drafting.files() == before


def test_snapshots_of_a_period_that_this_ledger_does_not_know_are_left_alone(
    drafting: Drafting, tmp_path: Path
) -> None:
    drafting.run({"c1": ["a"]})
    empty = open_ledger("sqlite:///other.db", tmp_path)
    assert remove_old_snapshots(empty, drafting.lake) == []
    empty.dispose()


def test_a_draft_whose_snapshot_was_lost_gets_it_anew_and_is_otherwise_unchanged(drafting: Drafting) -> None:
    drafting.run({"c1": ["a"], "c2": ["c"]})
    before = drafting.files()
    for path in (drafting.lake.root / "billed_charges").rglob("*.parquet"):
        path.unlink()
    with pytest.raises(SnapshotMissing, match="not in the lake"):
        drafting.charges_of("c1")
    assert drafting.run({"c1": ["a"], "c2": ["c"]}).unchanged == ("2026-10-c1-EUR", "2026-10-c2-EUR")
    assert drafting.files() == before
    assert drafting.charges_of("c2") == ["c"]


def test_a_snapshot_whose_bytes_have_changed_is_not_believed(drafting: Drafting) -> None:
    drafting.run({"c1": ["a"]})
    (path,) = (drafting.lake.root / "billed_charges" / "2026-10").iterdir()
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(SnapshotMissing, match="have changed"):
        drafting.charges_of("c1")


def test_a_document_without_charges_refers_to_no_snapshot(drafting: Drafting) -> None:
    drafting.run({"c1": []})
    assert drafting.files() == {}
    assert charges_behind(drafting.engine, drafting.lake, "2026-10-c1-EUR").is_empty()


def test_the_charges_of_a_document_that_does_not_exist_are_an_error(drafting: Drafting) -> None:
    with pytest.raises(InvoiceNotFound):
        charges_behind(drafting.engine, drafting.lake, "2026-10-nobody-EUR")


def test_drafts_with_and_without_charges_stand_beside_each_other(drafting: Drafting) -> None:
    drafting.run({"c1": ["a"], "c2": []})
    with drafting.engine.connect() as connection:
        names = connection.exec_driver_sql("select charges_sha256 is null from invoices order by invoice_id").fetchall()
    assert names == [(0,), (1,)]
