"""A reseller in a folder: deliveries straight into the lake, then the pipeline's own steps up to issued documents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
from sqlalchemy import Engine

from billing_pipeline.configuration import Source, WorkspaceConfig
from billing_pipeline.invoicing import DraftOptions, Invoice
from billing_pipeline.ledger.approval import Approval, approve
from billing_pipeline.ledger.documents import load_invoices
from billing_pipeline.ledger.life import Act, Outcome
from billing_pipeline.ledger.operations import ReplaceResult
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.reference import ReferenceSet
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.reference import REFERENCE_FILES
from resources.day_runs import price_days, reconcile_day
from resources.invoice_runs import Books, draft_into
from resources.lake import Lake
from resources.late_debits import days_with_late_debits
from resources.ledger import open_ledger, reading
from resources.reference_files import reference_frames
from resources.relations import register_frames
from tests.properties.vendor_months import FORMATS, VENDORS, Delivery, delivery_frame
from tests.sql.inline import Row, instant

LONG_AGO = instant("2026-01-01")
SINCE: Row = {"valid_from": date(2026, 1, 1), "recorded_at": LONG_AGO}
CUSTOMERS = {"C-eur": "EUR", "C-jpy": "JPY", "C-usd": "USD"}
# An account of every source, of the same name in each, for each customer; the last has nobody yet.
ACCOUNTS = {"a1": "C-eur", "a2": "C-jpy", "a3": "C-usd", "a4": None}
_RATES = {("EUR", "USD"): "1.0837", ("EUR", "JPY"): "161.42", ("USD", "JPY"): "148.9551"}
CONFIG = WorkspaceConfig.model_validate(
    {
        "organisation": {
            "id": "contoso",
            "name": "Contoso Cloud Ltd",
            "time_zone": "UTC",
            "currency": "EUR",
            "country": "GR",
            "charges_start_on": date(2025, 1, 1),
            "standard_edition_since": date(2025, 1, 1),
        },
        "sources": [Source(id=name, format=FORMATS[name], vendor=VENDORS[name]) for name in VENDORS],
    }
)


def first_terms() -> dict[str, list[Row]]:
    """Return the reference rows that a world begins with: everything has a price, all but one account a customer."""
    return {
        "customers": [
            {
                "customer_id": name,
                "name": f"Customer {name}",
                "invoice_currency": currency,
                "enabled_currencies": "EUR;JPY;USD",
                "country": "GR",
                **SINCE,
            }
            for name, currency in CUSTOMERS.items()
        ],
        "accounts": [
            {"source": source, "account_id": account, "customer_id": customer, **SINCE}
            for source in VENDORS
            for account, customer in ACCOUNTS.items()
            if customer is not None
        ],
        "pricing_rules": [
            {
                "rule_id": f"R-{vendor}",
                "scope": "vendor",
                "scope_id": vendor,
                "method": "markup",
                "percent": Decimal(percent),
                **SINCE,
            }
            for vendor, percent in zip(VENDORS.values(), ("10", "12.5", "7.3333"), strict=True)
        ],
        "credits": [
            {
                "credit_id": f"credit-of-{name}",
                "customer_id": name,
                "kind": "general",
                "amount": Decimal(500),
                "currency": currency,
                "granted_on": date(2026, 1, 1),
                "recorded_at": LONG_AGO,
            }
            for name, currency in CUSTOMERS.items()
        ],
        "exchange_rates": [
            {
                "base_currency": base,
                "quote_currency": quote,
                "rate": Decimal(rate) + Decimal(month) / 1000,
                "rate_date": date(2026, month, 15),
                "recorded_at": LONG_AGO,
            }
            for (base, quote), rate in _RATES.items()
            for month in range(7, 13)
        ],
    }


@dataclass
class World:
    """A lake, a ledger and reference files; the caller says when things happen.

    Attributes:
        connection: a session with the macros; its relations are the world's until another world works in it.
        home: an empty folder.
        ledger: bytes of an empty ledger.
        now: the clock.
    """

    connection: duckdb.DuckDBPyConnection
    home: Path
    ledger: bytes
    now: datetime = datetime(2026, 11, 2, 9, tzinfo=UTC)
    terms: dict[str, list[Row]] = field(default_factory=first_terms)
    deliveries: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.home / "ledger.db").write_bytes(self.ledger)
        self.lake = Lake(self.home / "lake")
        self.engine: Engine = open_ledger("sqlite:///ledger.db", self.home)
        self.books = Books(CONFIG, self.lake, self.engine)

    def close(self) -> None:
        """Let go of the ledger."""
        self.engine.dispose()

    @property
    def reference(self) -> ReferenceSet:
        """The reference files as they stand."""
        return reference_set(self.terms)

    def know(self, file: str, **row: object) -> None:
        """Record a row of a reference file now."""
        self.terms[file].append({"recorded_at": self.now, **row})

    def take(self, *deliveries: Delivery) -> None:
        """Take deliveries, whenever they arrived, and price and reconcile their days."""
        self.deliveries += deliveries
        days = sorted({f"{delivery.received_at:%Y-%m-%d}" for delivery in deliveries})
        for delivery in deliveries:
            path = self.lake.locate(delivery.file_name)
            path.parent.mkdir(parents=True, exist_ok=True)
            delivery.rows().write_parquet(path)
        for day in days:
            of_day = [one for one in self.deliveries if f"{one.received_at:%Y-%m-%d}" == day]
            self.lake.write_frame(DELIVERIES, day, delivery_frame(of_day))
        self.run_days(days)
        if any(delivery.is_invoice for delivery in deliveries):
            late = days_with_late_debits(self.lake, [date.fromisoformat(day) for day in days])
            self.run_days([day.isoformat() for day in late])

    def run_days(self, days: Sequence[str]) -> None:
        """Price and reconcile days of arrival, as often as one likes."""
        if not days:
            return
        # A frame can only be registered after a result that was fetched to its end, which `fetchone` does not do.
        self.connection.execute("select 1").fetchall()
        register_frames(self.connection, reference_frames(self.reference))
        price_days(self.connection, self.lake, CONFIG, days)
        for day in days:
            reconcile_day(self.connection, self.lake, day)

    def draft(self, period: str, options: DraftOptions) -> ReplaceResult:
        """Draft a month."""
        return draft_into(self.connection, self.books, self.reference, BillingPeriod(period), options, self.now, "ann")

    def approve(self, invoice_ids: Sequence[str]) -> Outcome:
        """Approve drafts."""
        granted = {row["credit_id"]: row["amount"] for row in self.terms.get("credits", ())}
        approval = Approval(CONFIG.organisation, granted)
        with self.engine.begin() as connection:
            return approve(connection, invoice_ids, approval, self.act)

    def act(self) -> Act:
        """Return who does something now."""
        return Act(self.now, "ann", self.now.date())

    def documents(self) -> tuple[Invoice, ...]:
        """Return every document."""
        with reading(self.engine).connect() as connection:
            return load_invoices(connection)


def reference_set(terms: Mapping[str, Sequence[Row]]) -> ReferenceSet:
    """Return reference rows as a set of which no row was ever withdrawn."""
    frames, known = {}, {}
    for file in REFERENCE_FILES:
        rows = [{"source_row": number, **row} for number, row in enumerate(terms.get(file.name, ()), 1)]
        known[file.name] = pl.DataFrame(rows, schema=file.known_types)
        frames[file.name] = known[file.name].select(*file.frame_types)
    return ReferenceSet(known=known, **frames)
