"""What `billing verify` finds, and what must hold inside a document whatever it bills.

What does not belong here: reading archive, lake, ledger and warehouse (`resources.verification`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.invoicing import Invoice, InvoiceLine
from billing_pipeline.ledger.content import content_sha256, sha256_of_content
from billing_pipeline.ledger.numbers import NumberSeries
from billing_pipeline.line_conversion import document_rate
from billing_pipeline.money import EXACT


@dataclass(frozen=True)
class Problem:
    """One thing that is not what it was.

    Attributes:
        subject: the file, delivery, document or table.
        difference: what differs, and what to do where that is known.
    """

    subject: str
    difference: str


@dataclass(frozen=True)
class Verified:
    """The outcome of one kind of check.

    Attributes:
        check: its name.
        count: how many things were looked at.
        unit: what they are, in the plural.
    """

    check: str
    count: int
    unit: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class LineSum:
    """What the snapshot of billed charges holds of one line of a document; the amount is exact, in `currency`."""

    currency: str
    charge_count: int
    amount: Decimal


@dataclass(frozen=True)
class Series:
    """One series of numbers as the ledger has it.

    Attributes:
        last: the last number given.
        given: the numbers that documents of the organisation have, of whatever series.
    """

    series: NumberSeries
    last: int
    given: frozenset[str]


def document_problems(invoice: Invoice, stated_sha256: str, issued_content: str | None) -> list[str]:
    """Return what in a document contradicts itself.

    Args:
        stated_sha256: the hash of its content, as recorded when it was drafted or approved.
        issued_content: its content as approved, whose bytes were hashed; None where the ledger has none.
    """
    found = []
    if (sha256 := content_sha256(invoice)) != stated_sha256:
        found.append(f"its content has SHA-256 {sha256}, recorded is {stated_sha256}")
    if issued_content is not None and sha256_of_content(issued_content) != stated_sha256:
        found.append("its content as approved no longer has the SHA-256 that was recorded")
    if (issued_content is None) != (invoice.invoice_number is None):
        found.append("it has a number and no approved content, or the other way round")
    if [line.line_number for line in invoice.lines] != list(range(1, len(invoice.lines) + 1)):
        found.append("its lines are not numbered 1, 2, ...")
    net = EXACT.add(invoice.subtotal, invoice.tax_total)
    sums = (
        ("lines", _sum(line.amount for line in invoice.lines), "subtotal", invoice.subtotal),
        ("taxes", _sum(tax.amount for tax in invoice.taxes), "tax total", invoice.tax_total),
        ("credits", _sum(use.amount for use in invoice.credits), "credits applied", invoice.credits_applied),
        ("subtotal, taxes and credits", EXACT.subtract(net, invoice.credits_applied), "total", invoice.total),
    )
    for parts, added, name, stated in sums:
        if added != stated:
            sides = f"{spoken(added, invoice.currency)}, its {name} is {spoken(stated, invoice.currency)}"
            found.append(f"its {parts} add up to {sides}")
    return found


def line_problems(invoice: Invoice, behind: Mapping[int, LineSum]) -> list[str]:
    """Return which lines of a document are not the sum of the charges kept as billed.

    Args:
        behind: what the document's snapshot holds, by line number.
    """
    found = []
    for line in invoice.lines:
        found += [f"line {line.line_number}: {problem}" for problem in _of_line(line, invoice, behind)]
    unknown = sorted(set(behind) - {line.line_number for line in invoice.lines})
    return [*found, *(f"its snapshot has charges of line {number}, which it does not have" for number in unknown)]


def conversion_problems(invoice: Invoice) -> list[str]:
    """Return which converted lines none of the document's exchange rates makes of what was charged."""
    return [
        f"line {line.line_number}: no exchange rate of the document makes"
        f" {spoken(line.amount_precise, invoice.currency)} of {spoken(line.charged_amount, line.charged_currency)}"
        for line in invoice.lines
        # What belongs to an earlier month was converted at the rate of that month's document.
        if line.charged_amount is not None and line.service_period is None and document_rate(line, invoice) is None
    ]


def number_problems(one: Series) -> list[str]:
    """Return what is missing from a series of numbers, or beyond its last number."""
    start = f"{one.series.series}-{one.series.year}-"
    expected = {one.series.number(count) for count in range(1, one.last + 1)}
    own = {number for number in one.given if number.startswith(start) and number.removeprefix(start).isdigit()}
    missing, beyond = sorted(expected - own), sorted(own - expected)
    return [
        *(f"number {number} is missing: no document has it" for number in missing),
        *(f"number {number} is beyond the last one given, {one.last}" for number in beyond),
    ]


def spoken(amount: Decimal, currency: str | None) -> str:
    """Return an amount as problems name it, exact."""
    return f"{plain_decimal(amount)} {currency}"


def first_line(error: Exception) -> str:
    """Return what an error says, without the query or the traceback that some append."""
    return (str(error).splitlines() or [repr(error)])[0]


def _of_line(line: InvoiceLine, invoice: Invoice, behind: Mapping[int, LineSum]) -> Sequence[str]:
    kept = behind.get(line.line_number)
    if kept is None:
        return [f"its {line.charge_count} charges are not in the snapshot"] if line.charge_count else []
    found = []
    if kept.charge_count != line.charge_count:
        found.append(f"the snapshot has {kept.charge_count} charges of it, the document says {line.charge_count}")
    exact = line.amount_precise if line.charged_amount is None else line.charged_amount
    currency = line.charged_currency or invoice.currency
    if (kept.amount, kept.currency) != (exact, currency):
        sides = f"{spoken(kept.amount, kept.currency)}, its exact amount is {spoken(exact, currency)}"
        found.append(f"its charges add up to {sides}")
    return found


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(EXACT.add, amounts, Decimal(0))
