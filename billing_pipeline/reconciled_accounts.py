"""What is compared in a three-way reconciliation, and what comes of it: accounts, findings, verdicts.

What does not belong here: how an account is judged (`billing_pipeline.reconciliation`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from typing import Final, Literal

from billing_pipeline.money import EXACT

Part = Literal["net", "tax", "totals", "buckets"]

# The weightiest first. The first group blocks.
BLOCKING: Final = (
    "unattributed",
    "contradicting_totals",
    "unexplained",
    "repeated_rows",
    "exchange_rate",
    "no_rows",
    "missing_rows",
    "missing_total",
)
HARMLESS: Final = ("not_yet_final", "accepted", "tolerance", "rounding", "no_total", "none")
# An amount that the pipeline itself lost is repaired, not accepted.
_NEVER_ACCEPTED: Final = "unattributed"
NOTHING = Decimal(0)


@dataclass(frozen=True)
class StatedTotal:
    """One row of an invoice_totals.csv; net and tax in the account's currency, tax None where it says none."""

    invoice_id: str | None
    net: Decimal
    tax: Decimal | None
    is_final: bool = True


@dataclass(frozen=True)
class InvoiceRows:
    """What the rows that name an invoice add up to, without tax and tax alone; None is rows without invoice."""

    invoice_id: str | None
    net: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Account:
    """One billing account of a source in a billing period and currency: the three ways, side by side.

    Attributes:
        tolerance: largest difference of the source that is let pass, in currency.
        has_rows: whether there is a delivery in this currency.
        is_final: False while the vendor still estimates the rows.
        rows_net, rows_tax: exact sums of rows without tax, and of tax.
        itemises_tax: whether the rows can be held against a total of tax.
        unattributed: rows less buckets, exact.
        is_attributed: whether each row is in one bucket, too.
        file_net: total in the delivery itself, without tax; `file_includes_tax` says that it holds tax all the same.
        file_tax: tax total in the delivery itself.
        is_file_rounded: the delivery's total holds rounding rows that are no charges; intake has checked that.
        totals: of invoice_totals.csv.
        invoices: the rows by invoice, where there are totals.
        elsewhere: where else rows of the account were found, in words; empty if nowhere.
    """

    currency: str
    tolerance: Decimal = NOTHING
    has_rows: bool = True
    is_final: bool = True
    rows_net: Decimal = NOTHING
    rows_tax: Decimal = NOTHING
    itemises_tax: bool = True
    unattributed: Decimal = NOTHING
    is_attributed: bool = True
    file_net: Decimal | None = None
    file_tax: Decimal | None = None
    file_includes_tax: bool = False
    is_file_rounded: bool = False
    totals: tuple[StatedTotal, ...] = ()
    invoices: tuple[InvoiceRows, ...] = ()
    elsewhere: str = ""

    @property
    def vendor_net(self) -> Decimal | None:
        """What the vendor says it charges without tax."""
        if self.totals:
            return add_up(one.net for one in self.totals)
        if self.file_net is not None and self.file_includes_tax:
            return EXACT.subtract(self.file_net, self.rows_tax)
        return self.file_net

    @property
    def vendor_tax(self) -> Decimal | None:
        """The tax the vendor states; None as soon as one of its totals says none.

        A delivery's total that includes tax states the tax of its rows with it.
        """
        if not self.totals:
            return self.rows_tax if self.file_includes_tax and self.file_net is not None else self.file_tax
        stated = [one.tax for one in self.totals if one.tax is not None]
        return add_up(stated) if len(stated) == len(self.totals) else None

    @property
    def names_invoices(self) -> bool:
        """Whether the totals are of several invoices, each by its number: they could cancel each other out."""
        return len(self.totals) > 1 and all(one.invoice_id is not None for one in self.totals)

    @property
    def is_settled(self) -> bool:
        """Whether neither rows nor totals are estimates."""
        return self.is_final and all(one.is_final for one in self.totals)


@dataclass(frozen=True)
class Finding:
    """Part of a difference with its reason.

    Attributes:
        part: what differs: the amounts without tax, the tax, two totals, or the buckets.
        amount: in the account's currency; the findings of a part add up to its difference.
        invoice_id: the vendor's invoice, where only one is concerned.
        total, rows: what was compared; None where nothing was.
    """

    reason: str
    part: Part
    amount: Decimal
    invoice_id: str | None = None
    total: Decimal | None = None
    rows: Decimal | None = None
    words: str = ""

    @property
    def is_blocking(self) -> bool:
        """Whether the finding stands in the way of invoices."""
        return self.reason in BLOCKING


@dataclass(frozen=True)
class Evidence:
    """What the rows behind an open difference show.

    Attributes:
        repeated: cost of all copies after the first, of every group of identical rows.
        repeats: the same of single groups that alone may be the difference.
        mispriced: by how much rows differ from what their own price and exchange rate make, expected less billed.
    """

    repeated: Decimal = NOTHING
    repeats: tuple[Decimal, ...] = ()
    mispriced: Decimal = NOTHING


@dataclass(frozen=True)
class Verdict:
    """What came of comparing an account.

    Attributes:
        difference, tax_difference: None where there is nothing to compare.
        findings: empty where nothing differs.
    """

    difference: Decimal | None
    tax_difference: Decimal | None
    findings: tuple[Finding, ...]
    has_total: bool

    @property
    def reason(self) -> str:
        """The weightiest reason."""
        found = {finding.reason for finding in self.findings}
        return next((reason for reason in (*BLOCKING, *HARMLESS) if reason in found), self._without_finding)

    @property
    def _without_finding(self) -> str:
        return "none" if self.has_total else "no_total"

    @property
    def is_blocking(self) -> bool:
        """Whether invoices of the source and period must wait."""
        return any(finding.is_blocking for finding in self.findings)

    @property
    def open(self) -> tuple[Finding, ...]:
        """Findings whose rows are to be looked through: they may explain it, or show where to begin."""
        looked_at = ("unexplained", "missing_rows", "missing_total")
        return tuple(one for one in self.findings if one.reason in looked_at and one.rows is not None)

    def accepted(self) -> "Verdict":
        """Return the verdict once an operator has accepted it: what blocked does no longer."""
        findings = tuple(
            replace(one, reason="accepted") if one.is_blocking and one.reason != _NEVER_ACCEPTED else one
            for one in self.findings
        )
        return replace(self, findings=findings)


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of amounts."""
    return reduce(EXACT.add, amounts, NOTHING)
