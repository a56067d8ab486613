"""Months of vendor files with planted faults, and where each planted cent must be found: an oracle that adds up itself.

A seed makes one month: a delivery of each of six formats, with totals, and any of eight kinds of faults in them, often
none. Months of several seeds are different billing periods, so that they can lie in one workspace.
"""

import random
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from tests.properties.reconciled_files import ACCOUNTS, KNOWN, WRITERS, Charge

FIRST_DAY, SECOND_DAY = date(2025, 11, 25), date(2025, 11, 26)
KNOWN_ACCOUNTS, UNKNOWN = (KNOWN, "0012"), "0099"
CURRENCIES = {"cloud": "USD", "aws": "USD", "report": "USD", "azure": "EUR", "licences": "EUR", "dist": "EUR"}
KINDS = (
    "missing chunk",
    "doubled row",
    "rounding",
    "unmapped account",
    "tax row",
    "late correction",
    "marketplace fee",
    "wrong FX",
)
# Where a kind can be planted. Faults of one total are planted into different sources, so that each is one amount.
_PLACES = {
    "missing chunk": ("cloud", "aws"),
    "doubled row": ("cloud", "azure", "licences"),
    "rounding": ("cloud", "aws", "report", "azure"),
    "unmapped account": tuple(CURRENCIES),
    "tax row": ("cloud", "aws", "report", "azure", "licences"),
    "late correction": ("cloud", "aws", "azure", "licences", "dist"),
    "marketplace fee": ("cloud", "aws", "report", "azure"),
    "wrong FX": ("azure", "licences", "cloud"),
}
_OF_TOTALS = ("missing chunk", "doubled row", "wrong FX")
_CENT = Decimal("0.01")


@dataclass
class Expected:
    """What must be found of a source and month.

    Attributes:
        buckets: amount by bucket.
        findings: reason, part and amount of each, in any order.
        blocks: whether it blocks, by currency.
    """

    buckets: dict[str, Decimal] = field(default_factory=dict)
    findings: dict[str, list[tuple[str, str, Decimal]]] = field(default_factory=dict)

    def is_blocking(self, currency: str) -> bool:
        return any(reason != "rounding" for reason, _, _ in self.findings.get(currency, []))


@dataclass
class Month:
    """One generated month.

    Attributes:
        files: content by path below `landing/`.
        totals: lines of invoice_totals.csv by source.
        expected: by source.
        planted: kind and place of each fault.
    """

    period: str
    files: dict[str, bytes] = field(default_factory=dict)
    totals: dict[str, list[str]] = field(default_factory=dict)
    expected: dict[str, Expected] = field(default_factory=dict)
    planted: list[tuple[str, str]] = field(default_factory=list)


def make_month(seed: int, period: str) -> Month:
    """Generate the month of a seed."""
    rng = random.Random(seed)
    month = Month(period)
    kinds = rng.sample(KINDS, rng.choice((0, 1, 2, 3, 4, 5, 8)))
    taken: set[str] = set()
    for kind in kinds:
        places = [one for one in _PLACES[kind] if kind not in _OF_TOTALS or one not in taken]
        if places:
            place = rng.choice(places)
            month.planted.append((kind, place))
            taken |= {place} if kind in _OF_TOTALS else set()
    for source in CURRENCIES:
        faults = {kind for kind, place in month.planted if place == source}
        _Feed(rng, month, source, faults).make()
    return month


class _Feed:
    """One source of a month, made with the faults that are planted into it."""

    def __init__(self, rng: random.Random, month: Month, source: str, faults: set[str]) -> None:
        self.rng, self.month, self.source, self.faults = rng, month, source, faults
        self.currency = CURRENCIES[source]
        self.expected = month.expected.setdefault(source, Expected())
        self.found: list[tuple[str, str, Decimal]] = []
        self.twin = Charge(Decimal(0))

    def make(self) -> None:
        invoices = ["V1", "V2"] if self.source in ("cloud", "aws") and self.rng.random() < 0.5 else ["V1"]
        said = [
            Charge(self._cost(), account=self.rng.choice(KNOWN_ACCOUNTS), invoice=invoices[number % len(invoices)])
            for number in range(self.rng.randint(3, 6))
        ]
        said += self._special(invoices)
        control = Decimal(0)
        if "wrong FX" in self.faults and self.source != "cloud":
            said[0] = self._mispriced(said[0])
        if "rounding" in self.faults and self.source == "report":
            total = sum((one.cost for one in said), Decimal(0))
            control = total.quantize(_CENT, ROUND_HALF_UP) - total
        rows = self._rows(said)
        if "late correction" in self.faults:
            first = [Charge(one.cost + 3, one.nature, one.account, one.invoice, one.tax) for one in rows[:2]]
            self._write(first + rows[2:], FIRST_DAY, control)
        self._write(rows, SECOND_DAY if "late correction" in self.faults else FIRST_DAY, control)
        self._state(said, rows, control)
        if self._is_delivered():
            for one in rows:
                bucket = "billed" if one.nature == "usage" else one.nature
                if one.nature == "usage" and one.account == UNKNOWN:
                    bucket = "unmapped_account"
                self.expected.buckets[bucket] = self.expected.buckets.get(bucket, Decimal(0)) + one.cost

    def _cost(self) -> Decimal:
        # No two rows cost the same, so that none is a twin by chance.
        digits = self.rng.choice((2, 4, 8)) if self.source in ("cloud", "aws", "report", "azure") else 2
        return Decimal(self.rng.randint(10_000, 10_000_000_000)).scaleb(-digits) % 5000 + Decimal("1.11")

    def _special(self, invoices: list[str]) -> list[Charge]:
        """Return the rows that are planted among the usage."""
        invoice = self.rng.choice(invoices)
        planted = []
        if "unmapped account" in self.faults:
            planted.append(Charge(self._cost(), account=UNKNOWN, invoice=invoice))
        if "tax row" in self.faults:
            tax = self._cost()
            planted.append(Charge(self._cost(), invoice=invoice, tax=tax) if self.source == "licences" else
                           Charge(tax, "tax", invoice=invoice))  # fmt: skip
        if "marketplace fee" in self.faults:
            planted.append(Charge(self._cost(), "marketplace_fee", invoice=invoice))
        if "rounding" in self.faults and self.source != "report":
            planted.append(Charge(Decimal(self.rng.randint(-9, 9) or 5).scaleb(-3), "rounding", invoice=invoice))
        return planted

    def _mispriced(self, charge: Charge) -> Charge:
        """Return a row that was converted at another rate than it states."""
        return Charge(charge.cost * 2, charge.nature, charge.account, charge.invoice, expected=charge.cost)

    def _rows(self, said: list[Charge]) -> list[Charge]:
        """Return what the file holds of what the vendor charges."""
        if "missing chunk" in self.faults and self.source == "cloud":
            return said[1:]
        if "doubled row" in self.faults:
            self.twin = self.rng.choice([one for one in said if one.nature == "usage" and one.expected is None])
            return [*said, self.twin]
        return said

    def _is_delivered(self) -> bool:
        # A report of which a chunk is absent waits.
        return not ("missing chunk" in self.faults and self.source == "aws")

    def _state(self, said: list[Charge], rows: list[Charge], control: Decimal) -> None:
        """Write what the vendor says, and note what must be found of it."""
        if self.source in ("report", "dist"):
            if control:
                self.found.append(("rounding", "net", control))
        else:
            self._state_totals(said, rows)
        if self.found:
            self.expected.findings[self.currency] = self.found

    def _state_totals(self, said: list[Charge], rows: list[Charge]) -> None:
        is_rounded = "rounding" in self.faults
        is_elsewhere = "wrong FX" in self.faults and self.source == "cloud"
        lines = self.month.totals.setdefault(self.source, [])
        for invoice in sorted({one.invoice for one in said}):
            own = [one for one in said if one.invoice == invoice]
            net = sum((one.expected or one.cost for one in own if one.nature != "tax"), Decimal(0))
            tax = sum((one.cost if one.nature == "tax" else one.tax for one in own), Decimal(0))
            stated = net.quantize(_CENT, ROUND_HALF_UP) if is_rounded else net
            code = "GBP" if is_elsewhere else self.currency
            lines.append(f"{ACCOUNTS[self.source]},{self.month.period},{invoice},2025-11-20,{code},{stated},{tax},true")
            self._expect(invoice, stated, tax, [one for one in rows if one.invoice == invoice])
        if is_elsewhere:
            # Both invoices are compared as a whole where there are no rows at all.
            totals = [(part, amount) for _, part, amount in self.found]
            self.expected.findings["GBP"] = [
                ("no_rows", part, sum((one for name, one in totals if name == part), Decimal(0)))
                for part in dict.fromkeys(part for part, _ in totals)
            ]
            self.found = []

    def _expect(self, invoice: str, stated: Decimal, tax: Decimal, rows: list[Charge]) -> None:
        """Note what must be found of one invoice."""
        if "wrong FX" in self.faults and self.source == "cloud":
            self.found += [("no_rows", part, amount) for part, amount in (("net", stated), ("tax", tax)) if amount]
            return
        if not self._is_delivered():
            self._add_missing("net", stated)
            self._add_missing("tax", tax)
            return
        rows_net = sum((one.cost for one in rows if one.nature != "tax"), Decimal(0))
        rest = stated - rows_net
        for one in rows:
            if one.expected is not None:
                self.found.append(("exchange_rate", "net", one.expected - one.cost))
                rest -= one.expected - one.cost
        if "doubled row" in self.faults and self.twin.invoice == invoice:
            self.found.append(("repeated_rows", "net", -self.twin.cost))
            rest += self.twin.cost
            if self.twin.tax:
                self.found.append(("repeated_rows", "tax", -self.twin.tax))
        if rest:
            # The row that is missing is the first of all, and of the first invoice.
            is_missing = "missing chunk" in self.faults and invoice == "V1"
            self.found.append(("missing_rows" if is_missing else "rounding", "net", rest))

    def _add_missing(self, part: str, amount: Decimal) -> None:
        """Add to the one finding of a part: without rows the invoices of an account are one amount."""
        before = sum((found for _, name, found in self.found if name == part), Decimal(0))
        self.found = [one for one in self.found if one[1] != part]
        if before + amount:
            self.found.append(("missing_rows", part, before + amount))

    def _write(self, rows: list[Charge], day: date, control: Decimal) -> None:
        for name, content in WRITERS[self.source](self.month.period, rows, control).items():
            if not self._is_delivered() and name.endswith("c-2.csv"):
                continue
            self.month.files[f"{self.source}/received={day}/{name}"] = content.encode()
