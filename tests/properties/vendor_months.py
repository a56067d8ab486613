"""Deliveries as a test states them: a few charges of an account's month, or the items of a distributor's invoice.

They become rows of `vendor_charges` and of `deliveries` as intake writes them; intake itself is tested elsewhere.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

import polars as pl

from billing_pipeline.identifiers import delivery_id
from billing_pipeline.money import EXACT
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from tests.sql.inline import Row

VENDORS = {"aws": "AWS", "cloud": "Cloud", "dist": "Distributor"}
FORMATS = {"aws": "aws_cur", "cloud": "focus", "dist": "distributor_invoice"}
ROWS_SCHEMA = VENDOR_CHARGES.empty_frame().schema


@dataclass(frozen=True, order=True)
class Charge:
    """One vendor row.

    Attributes:
        account: the customer's account at the vendor.
        cost: in `currency`; of items the unit cost, positive also on credit notes.
        quantity: in hours; of items in seats.
        nature: what kind of row it is.
        line: line of a distributor's invoice.
        credits: number and line of the item that a credit note's item credits.
    """

    account: str
    sku: str
    day: date
    cost: Decimal
    quantity: Decimal
    currency: str
    nature: str = "usage"
    line: str | None = None
    credits: tuple[str, str] | None = None

    @property
    def total_cost(self) -> Decimal:
        """What the vendor charges for the row; negative on credit notes."""
        if self.line is None:
            return self.cost
        total = EXACT.multiply(self.cost, self.quantity)
        return -total if self.credits else total


@dataclass(frozen=True)
class Delivery:
    """One version of a source's account and month, or of a distributor's invoice.

    Attributes:
        account: the billing account; of a distributor's invoice its number.
        period: calendar month, `YYYY-MM`.
        is_final: of usage; an invoice is final once it is issued.
        status: of a distributor's invoice.
        received_at: when it arrived; each version at an instant of its own.
    """

    source: str
    account: str
    period: str
    charges: tuple[Charge, ...]
    received_at: datetime
    is_final: bool = True
    status: str | None = None

    @property
    def slot(self) -> str:
        """What a later delivery replaces."""
        return f"{self.source}/{self.account}" + ("" if self.is_invoice else f"/{self.period}")

    @property
    def is_invoice(self) -> bool:
        """Whether it is a distributor's invoice."""
        return self.source == "dist"

    @property
    def sha256(self) -> str:
        """Hash of what the file holds."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    @property
    def delivery_id(self) -> str:
        """The key that intake gives it."""
        return delivery_id(self.source, self.account, self.period, self.sha256)

    @property
    def file_name(self) -> str:
        """The converted file, relative to the lake."""
        return f"vendor_charges/{self.received_at:%Y-%m-%d}/{self.sha256}.parquet"

    @property
    def has_ended(self) -> bool:
        """Whether the vendor is through with it: the usage final, the invoice issued."""
        return self.status == "issued" if self.is_invoice else self.is_final

    def ended(self) -> "Delivery":
        """Return the same as final or issued."""
        return replace(self, status="issued") if self.is_invoice else replace(self, is_final=True)

    def totals(self) -> dict[str, Decimal]:
        """What the vendor charges, by currency."""
        found: dict[str, Decimal] = {}
        for charge in self.charges:
            found[charge.currency] = EXACT.add(found.get(charge.currency, Decimal(0)), charge.total_cost)
        return found

    def rows(self) -> pl.DataFrame:
        """Return the delivery's rows as `vendor_charges` has them."""
        rows = [self._row(number, charge) for number, charge in enumerate(self.charges, 1)]
        return pl.DataFrame(rows, schema=ROWS_SCHEMA)

    def facts(self) -> list[Row]:
        """Return the delivery's rows in `deliveries`, one for each currency."""
        counts = dict.fromkeys(self.totals(), 0)
        for charge in self.charges:
            counts[charge.currency] += 1
        return [
            {
                "delivery_id": self.delivery_id,
                "source": self.source,
                "format": FORMATS[self.source],
                "vendor": VENDORS[self.source],
                "billing_account_id": self.account,
                "billing_period": self.period,
                "slot": self.slot,
                **dict.fromkeys(("received_at", "landed_at", "seen_at"), self.received_at),
                "is_final": self.has_ended,
                "file_count": 1,
                "row_count": counts[currency],
                "total_cost": total,
                "currency": currency,
                "sha256": self.sha256,
                "file_names": f'["{self.sha256}.csv"]',
                "parquet_files": f'["{self.file_name}"]',
                "invoice_status": self.status,
                "converter": "test",
            }
            for currency, total in self.totals().items()
        ]

    def _row(self, number: int, charge: Charge) -> Row:
        period = BillingPeriod(self.period)
        row: Row = {
            "delivery_id": self.delivery_id,
            "source": self.source,
            "row_number": number,
            "x_file_name": f"{self.sha256}.csv",
            "x_file_sha256": self.sha256,
            "billing_account_id": self.account,
            "sub_account_id": charge.account,
            "billing_period": self.period,
            "billing_period_start": _midnight(period.first_day),
            "billing_period_end": _midnight(period.end_day),
            "charge_period_start": _midnight(charge.day),
            "charge_category": "Usage",
            "service_name": f"Service {charge.sku}",
            "service_category": "Compute",
            "sku_id": charge.sku,
            "pricing_quantity": charge.quantity,
            "pricing_unit": "Hours",
            "billed_cost": charge.total_cost,
            "billing_currency": charge.currency,
            "x_charge_nature": charge.nature,
        }
        return row | self._item(charge) if self.is_invoice else row

    def _item(self, charge: Charge) -> Row:
        credited, credited_line = charge.credits or (None, None)
        return {
            "charge_category": "Purchase",
            "pricing_unit": "Month",
            "invoice_id": self.account,
            "x_invoice_date": charge.day,
            "x_issued_at": datetime.combine(charge.day, time(12), UTC),
            "x_invoice_type": "credit" if charge.credits else "debit",
            "x_invoice_status": self.status,
            "x_order_channel": "distributor_storefront",
            "x_origin": "billing_service",
            "x_credits_invoice_number": credited,
            "x_credits_line_number": credited_line,
            "x_line_number": charge.line,
            "x_start_date": charge.day,
            "x_end_date": charge.day,
            "x_unit_cost": charge.cost,
        }


def delivery_frame(deliveries: Iterable[Delivery]) -> pl.DataFrame:
    """Return deliveries as rows of `deliveries`."""
    rows = [row for delivery in deliveries for row in delivery.facts()]
    return pl.DataFrame(rows, schema=DELIVERIES.empty_frame().schema)


def current(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Return the newest version of each slot."""
    newest: dict[str, Delivery] = {}
    for delivery in sorted(deliveries, key=lambda one: one.received_at):
        newest[delivery.slot] = delivery
    return list(newest.values())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
