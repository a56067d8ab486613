"""A billing month as it was known at a past instant, made again in a folder of its own.

The workspace is only read. The folder gets what a run of the month at that instant would have made: the lake's
partitions of the days, the exports, the ledger with the drafts, the warehouse, and `rebuild.json`, which says from
which deliveries and terms; it is written last.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from billing_pipeline.charges.request import choose_view
from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.errors import BillingError
from billing_pipeline.invoicing import DraftOptions, InvoiceError
from billing_pipeline.ledger.documents import load_invoices
from billing_pipeline.ledger.operations import ReplaceResult
from billing_pipeline.ledger.past import PastLedger, write_past
from billing_pipeline.ledger.standing import standing_documents
from billing_pipeline.periods import BillingPeriod, local_day
from billing_pipeline.reference import ReferenceSet
from billing_pipeline.schemas.deliveries import DELIVERIES, QUARANTINE
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from billing_pipeline.schemas.reconciliation import USAGE_RECONCILIATION
from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from resources.archive_as_of import ArchiveAsOf
from resources.carriers import sha256_of
from resources.charge_files import write_day_files
from resources.day_runs import credited_invoices, list_charges_of_day, price_days, reconcile_day
from resources.document_files import write_documents
from resources.invoice_runs import Books, draft_into
from resources.isolation import Converter
from resources.lake import Lake, replacing
from resources.ledger import open_ledger, reading
from resources.locked_months import months_locked
from resources.logo_versions import logo_as_of
from resources.overlay import OverlayLake
from resources.past_deliveries import PastDeliveries
from resources.past_ledger import past_ledger
from resources.publishing import publish_books
from resources.reference_files import config_as_of, load_reference, reference_frames
from resources.reference_journal import ReferenceJournal, known_versions
from resources.relations import mark_current, read_deliveries, read_partitions, read_vendor_rows, register_frames
from resources.session import EXPORT_MEMORY, duckdb_session
from resources.warehouse import Warehouse
from resources.workspace import CONFIG_FILE, Workspace

MANIFEST = "rebuild.json"
WHO = "billing rebuild"
_SCRATCH = ".building"
_CONVERTED = "vendor_charges"
# What names a document that is reckoned with.
_DOCUMENT = ("invoice_id", "invoice_number", "status", "content_sha256")
# What was known then, worked out again from the archive and read by the stages that follow.
_KNOWN = (DELIVERIES.name, VENDOR_TOTALS.name, PRICED_LINE_ITEMS.name, USAGE_RECONCILIATION.name)


class NothingKnown(BillingError):
    """No delivery of the month had arrived at the instant."""


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild made.

    Attributes:
        days: days of arrival that were worked through, as partition keys.
        deliveries: how many deliveries of the month were known, replaced ones among them.
        invoices: how many drafts there are.
        errors: why customers have none.
        notices: what to know about the terms and the documents of that instant.
        files: the files made for people, relative to the folder.
    """

    days: tuple[str, ...]
    deliveries: int
    invoices: int
    errors: tuple[InvoiceError, ...]
    notices: tuple[str, ...]
    files: tuple[str, ...]


def rebuild_month(
    workspace: Workspace, period: BillingPeriod, as_of: datetime, options: DraftOptions, out: Path
) -> Rebuilt:
    """Make a billing month again as it was known at an instant.

    Args:
        as_of: deliveries, terms and settings known by then count.
        options: as of the run that is to be repeated.
        out: folder for the result, empty or absent.

    Returns:
        What was made.

    Raises:
        NothingKnown: no delivery of the month had arrived; nothing is left in `out`.
        ConfigurationInvalid, ReferenceInvalid: there were no settings or terms.
    """
    config = config_as_of(workspace.home, as_of)
    reference = load_reference(workspace.home, config.organisation.zone, as_of)
    with _filling(out) as scratch:
        rebuild = _Rebuild(workspace, config, reference, period, as_of, out, scratch)
        return rebuild.make(options)


@contextmanager
def _filling(out: Path) -> Iterator[Path]:
    """Give a folder for what is needed on the way, inside the result; a failure leaves nothing of either."""
    was_there = out.exists()
    scratch = out / _SCRATCH
    scratch.mkdir(parents=True)
    try:
        yield scratch
    except BaseException:
        for path in out.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not was_there:
            out.rmdir()
        raise
    shutil.rmtree(scratch)


@dataclass(frozen=True)
class _Rebuild:
    """One rebuild: from where, as of when, into which folder."""

    workspace: Workspace
    config: WorkspaceConfig
    reference: ReferenceSet
    period: BillingPeriod
    as_of: datetime
    out: Path
    scratch: Path

    def make(self, options: DraftOptions) -> Rebuilt:
        """Take, price, reconcile, list, export, draft and publish."""
        # Deliveries known then; over the workspace's lake, for what is converted already.
        known = OverlayLake(self.scratch / "lake", Lake(self.workspace.lake), shared=())
        lake = OverlayLake(self.out / "lake", known, shared=_KNOWN)
        engine = open_ledger("sqlite:///ledger.db", self.out)
        books = Books(self.config, lake, engine)
        try:
            past, notices = past_ledger(self.workspace, self.period, self.as_of, self.scratch)
            with engine.begin() as transaction:
                write_past(transaction, past)
                locked = months_locked(standing_documents(transaction, self.period), self.period)
            with duckdb_session(memory_limit="3GB", temp_directory=self.scratch) as connection:
                register_frames(connection, reference_frames(self.reference))
                days, supporting = self._take_days(connection, known, locked)
                price_days(connection, known, self.config, supporting)
                for day in supporting:
                    reconcile_day(connection, known, day)
                price_days(connection, lake, self.config, days)
                for day in days:
                    reconcile_day(connection, lake, day)
                for day in days:
                    list_charges_of_day(connection, lake, self.config.organisation, day)
                drafted = draft_into(connection, books, self.reference, self.period, options, self.as_of, WHO)
                deliveries = self._deliveries(connection, lake)
            files = [*self._write_charges(lake, days), *self._write_documents(books)]
            today = local_day(self.as_of, self.config.organisation.zone)
            warehouse = Warehouse(self.out / "warehouse.duckdb", lake, self.scratch, self._archive)
            publish_books(warehouse, books, self.reference.special_prices, today, self.period)
            warehouse.path.with_suffix(".lock").unlink(missing_ok=True)
        finally:
            engine.dispose()
        self._write_manifest(days, deliveries, past, options)
        return self._summary(days, deliveries, drafted, files, notices)

    def _take_days(
        self, connection: duckdb.DuckDBPyConnection, known: OverlayLake, locked: Sequence[BillingPeriod]
    ) -> tuple[list[str], list[str]]:
        """Take the days with deliveries of the month, and those that they or its documents reckon with.

        Args:
            locked: earlier months with documents, whose differences go on the month's documents.

        Returns:
            The month's days, whose partitions then lie in the result, and the supporting days.
        """
        taking = OverlayLake(known.root, known.below, shared=(DELIVERIES.name,))
        with Converter(connection, self.scratch) as converter:
            past = PastDeliveries.look(connection, converter, self.config, self._archive, taking)
            days = past.take_month(self.period)
            if not days:
                raise NothingKnown(f"no delivery of {self.period} was known at {self.as_of.isoformat()}")
            earlier = {day for month in locked for day in past.take_month(month)}
            read_deliveries(connection, known, sorted({*days, *earlier}))
            read_vendor_rows(connection, known)
            # With the invoices that their credit notes credit.
            supporting = sorted({*earlier, *past.take_invoices(sorted(credited_invoices(connection)))})
            past.list_other_days()
        for day in days:
            self._keep(known, day)
        return days, [day for day in supporting if day not in days]

    @property
    def _archive(self) -> ArchiveAsOf:
        return ArchiveAsOf(self.workspace.archive, self.as_of, self.config.organisation.zone)

    def _keep(self, known: Lake, day: str) -> None:
        """Move a day's partitions from the scratch lake into the result."""
        partitions = (f"{table.name}/{day}.parquet" for table in (DELIVERIES, QUARANTINE, VENDOR_TOTALS))
        for name in (*partitions, f"{_CONVERTED}/{day}"):
            target = self.out / "lake" / name
            if (known.root / name).exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                (known.root / name).rename(target)

    def _write_charges(self, lake: Lake, days: Iterable[str]) -> list[Path]:
        written: list[Path] = []
        organisation, exports = self.config.organisation, self.out / "exports"
        view = choose_view(self.config.views, None)
        with duckdb_session(memory_limit=EXPORT_MEMORY, threads=1, temp_directory=self.scratch) as connection:
            for day in days:
                written += write_day_files(connection, lake, organisation, exports, day, view)
        return written

    def _write_documents(self, books: Books) -> list[Path]:
        with reading(books.engine).connect() as connection:
            invoices = load_invoices(connection, period=self.period.text)
        folder = self.out / "exports" / "invoices" / self.period.text
        logo = logo_as_of(self.workspace.home, self.config, self.as_of)
        return write_documents(invoices, lambda _: folder, lambda name: logo or self.workspace.home / name)

    def _deliveries(self, connection: duckdb.DuckDBPyConnection, lake: Lake) -> list[dict[str, Any]]:
        """Return the month's deliveries for the manifest."""
        read_partitions(connection, "deliveries", DELIVERIES, lake, None)
        mark_current(connection)
        frame = connection.sql(
            "select distinct delivery_id, source, billing_account_id, sha256, received_at, seen_at, is_current"
            " from known_deliveries where billing_period = $period order by received_at, delivery_id",
            params={"period": self.period.text},
        ).pl()
        return list(frame.to_dicts())

    def _write_manifest(
        self, days: Sequence[str], deliveries: list[dict[str, Any]], past: PastLedger, options: DraftOptions
    ) -> None:
        made = [path for name in ("exports", "lake") for path in (self.out / name).rglob("*") if path.is_file()]
        document = {
            "month": self.period.text,
            "as_of": self.as_of.isoformat(),
            "apply_credits": options.apply_credits,
            "include_tax": options.include_tax,
            "include_marketplace_fees": options.include_marketplace_fees,
            "use_credits_for_marketplace_fees": options.use_credits_for_marketplace_fees,
            "override_unsettled": options.override_unsettled,
            "days": list(days),
            "deliveries": deliveries,
            "documents": [{name: row[name] for name in _DOCUMENT} for row in past.documents],
            "reference": {
                name: sorted(frame["source_sha256"].drop_nulls().unique().to_list())
                for name, frame in self.reference.known.items()
                if frame.height
            },
            "billing.toml": self._settings_sha256(),
            "files": {str(path.relative_to(self.out)): sha256_of(path) for path in sorted(made)},
        }
        text = json.dumps(document, indent=1, ensure_ascii=False, default=lambda value: value.isoformat()) + "\n"
        with replacing(self.out / MANIFEST) as temporary:
            temporary.write_text(text, "utf-8")

    def _settings_sha256(self) -> str | None:
        """Return the hash of the version of billing.toml that was in force; see `config_as_of`."""
        taken = [one for one in ReferenceJournal(self.workspace.home).taken() if one.file == CONFIG_FILE]
        return known_versions(taken, self.as_of)[0][-1].sha256

    def _summary(
        self,
        days: Sequence[str],
        deliveries: Sequence[object],
        drafted: ReplaceResult,
        files: Sequence[Path],
        notices: Sequence[str],
    ) -> Rebuilt:
        return Rebuilt(
            days=tuple(days),
            deliveries=len(deliveries),
            invoices=len(drafted.created),
            errors=drafted.errors,
            notices=(*self.reference.notices, *notices),
            files=tuple(str(path.relative_to(self.out)) for path in files),
        )
