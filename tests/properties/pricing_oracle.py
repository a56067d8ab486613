"""What the pricing rules say, worked out a second time: in Python and fractions, from the rules, not the SQL.

Rows are those of `tests.properties.pricing_session`. Every function takes one charge or one list of rows; nothing here
is fast, and nothing rounds except where the rules do.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction

from tests.properties.pricing_session import Reference
from tests.sql.inline import Row

# Smaller is stronger; within a pricebook and within the rules the scope decides.
SPECIAL, ACCOUNT_BOOK, CUSTOMER_BOOK, RULE = 0, 10, 20, 30
SCOPES = {"product": 1, "product_type": 2, "vendor": 3}


@dataclass(frozen=True)
class Charge:
    """One charge at its grain, with the delivery it came in."""

    fact: Row
    account: str | None
    product: str | None
    product_type: str | None
    day: date
    unit: str | None
    currency: str
    quantity: Fraction | None
    cost: Fraction
    list_cost: Fraction | None
    unit_cost: Fraction | None = None
    unit_list: Fraction | None = None

    @property
    def is_item(self) -> bool:
        """Whether it is an item of a distributor's invoice."""
        return self.unit_cost is not None


@dataclass(frozen=True)
class Fact:
    """Something that was written down: since when it is known, and until when.

    Attributes:
        strength: smaller is stronger.
        since: when it became known; a price of a pricebook that was assigned later, since the assignment.
        until: when the row was taken away; None while it is there.
        recorded_at: of the row itself.
        source_row: of the row itself.
    """

    strength: int
    since: datetime
    until: datetime | None
    recorded_at: datetime
    source_row: int

    def is_known(self, known_at: datetime) -> bool:
        """Tell whether it was there at an instant."""
        return self.since <= known_at and (self.until is None or self.until > known_at)

    def may_fill_a_gap(self, known_at: datetime, seen_at: datetime) -> bool:
        """Tell whether it came after an arrival, and was still there when the files were seen."""
        return self.since > known_at and (self.until is None or self.until > max(seen_at, self.since))


@dataclass(frozen=True)
class Term:
    """A term that may set a price."""

    fact: Fact
    kind: str
    term_id: str
    row: Row
    scope: str | None = None
    scope_id: str | None = None


@dataclass(frozen=True)
class Situation:
    """Whose charge it is, and the one term for it, if any."""

    customer: str | None
    term: Term | None


def fact_of(row: Row, strength: int = 0, assigned_since: datetime | None = None) -> Fact:
    """Return what is known of a row, or of a row that only counts since another one assigned it."""
    recorded_at = row["recorded_at"]
    since = recorded_at if assigned_since is None else max(recorded_at, assigned_since)
    return Fact(strength, since, row.get("withdrawn_at"), recorded_at, row["source_row"])


def first_choice(facts: Iterable[Fact], known_at: datetime, seen_at: datetime) -> Fact | None:
    """Return the one that counts: known ones first, else the first that filled the gap."""
    candidates = list(facts)
    known = [fact for fact in candidates if fact.is_known(known_at)]
    if known:
        return min(known, key=_known_order)
    return min((fact for fact in candidates if fact.may_fill_a_gap(known_at, seen_at)), key=_late_order, default=None)


def _known_order(fact: Fact) -> tuple[object, ...]:
    # Of versions of one row, the one that stayed longest is the latest.
    stayed = (fact.until or _FOREVER).timestamp()
    return (fact.strength, -fact.recorded_at.timestamp(), -stayed, fact.source_row)


def _late_order(fact: Fact) -> tuple[object, ...]:
    return (fact.since, fact.strength, -fact.recorded_at.timestamp(), fact.until is not None, fact.source_row)


_FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


def in_force(row: Row, day: date) -> bool:
    """Tell whether a row's range of days, half open, holds a day."""
    return row["valid_from"] <= day and (row.get("valid_to") is None or day < row["valid_to"])


def situation(reference: Reference, charge: Charge) -> Situation:
    """Return whose charge it is and which term sets its price."""
    instants = charge.fact["received_at"], charge.fact["seen_at"]
    mappings = [
        row
        for row in _rows(reference, "accounts")
        if (row["source"], row["account_id"]) == (charge.fact["source"], charge.account) and in_force(row, charge.day)
    ]
    # A distributor's item may name the reseller's own customer id; a mapping of it comes first.
    named = [row for row in _rows(reference, "customers") if charge.is_item and row["customer_id"] == charge.account]
    owners = [(fact_of(row), row) for row in mappings] + [(fact_of(row, 1), row) for row in named]
    owner = _chosen(owners, *instants)
    if owner is None:
        return Situation(None, None)
    customer = str(owner["customer_id"])
    # A charge that had no customer before has the pricebooks that its customer had by then.
    attributed_at = max(charge.fact["received_at"], owner["recorded_at"])
    masters = [row for row in _rows(reference, "customers") if row["customer_id"] == customer]
    books = [
        (strength, row)
        for strength, rows in (
            (ACCOUNT_BOOK, [row for row in mappings if row["customer_id"] == customer]),
            (CUSTOMER_BOOK, masters),
        )
        for row in _assignments(rows, attributed_at, charge.fact["seen_at"])
    ]
    named = candidates(reference, charge, customer, books, attributed_at)
    terms = [term for term in named if in_force(term.row, charge.day)]
    fact = first_choice((term.fact for term in terms), *instants)
    return Situation(customer, next((term for term in terms if term.fact is fact), None))


def _assignments(rows: Sequence[Row], known_at: datetime, seen_at: datetime) -> list[Row]:
    """Return the row that counts, and those that came later: what they assign may fill a gap."""
    counts = _chosen([(fact_of(row), row) for row in rows], known_at, seen_at)
    late = [row for row in rows if fact_of(row).may_fill_a_gap(known_at, seen_at) and row is not counts]
    return [row for row in (counts, *late) if row is not None and row.get("pricebook_id") is not None]


def _chosen(rows: Sequence[tuple[Fact, Row]], known_at: datetime, seen_at: datetime) -> Row | None:
    fact = first_choice((fact for fact, _ in rows), known_at, seen_at)
    return next((row for one, row in rows if one is fact), None)


def candidates(
    reference: Reference, charge: Charge, customer: str, books: Sequence[tuple[int, Row]], attributed_at: datetime
) -> Iterable[Term]:
    """Yield every term that names the charge, in force or not.

    Args:
        books: strength, and the row of an account or a customer that assigns a pricebook.
        attributed_at: when the charge had its customer; at arrival, or later.
    """
    for row in _rows(reference, "special_prices"):
        if (row["customer_id"], row["product_id"]) == (customer, charge.product):
            yield Term(fact_of(row, SPECIAL), "special_price", row["special_price_id"], row)
    named: Mapping[str, str | None] = {
        "product": charge.product,
        "product_type": charge.product_type,
        "vendor": charge.fact["vendor"],
    }
    for strength, assigned in books:
        for row in _rows(reference, "pricebook_prices"):
            if row["pricebook_id"] == assigned["pricebook_id"] and named[row["scope"]] == row["scope_id"]:
                # What the file had by then is not a later assignment, but the state of things.
                late = assigned["recorded_at"] if assigned["recorded_at"] > attributed_at else None
                fact = fact_of(row, strength + SCOPES[row["scope"]], late)
                yield Term(fact, "pricebook", row["pricebook_id"], row, row["scope"], row["scope_id"])
    for row in _rows(reference, "pricing_rules"):
        if named[row["scope"]] == row["scope_id"]:
            fact = fact_of(row, RULE + SCOPES[row["scope"]])
            yield Term(fact, "pricing_rule", row["rule_id"], row, row["scope"], row["scope_id"])


def term_currency(reference: Reference, term: Term) -> str | None:
    """Return the currency of a term's own price."""
    if term.kind == "pricebook":
        return next(row["currency"] for row in _rows(reference, "pricebooks") if row["pricebook_id"] == term.term_id)
    if term.row.get("currency") is not None:
        return str(term.row["currency"])
    customer = term.row.get("customer_id")
    return next(
        (row["invoice_currency"] for row in _rows(reference, "customers") if row["customer_id"] == customer), None
    )


def priced_as_of(fact: Row, term: Term) -> datetime:
    """Return when a price came about: at arrival, or when a term filled the gap of a delivery that was seen."""
    known_at: datetime = fact["received_at"]
    return known_at if term.fact.is_known(known_at) else max(term.fact.since, fact["seen_at"])


def adjustments(reference: Reference, charge: Charge, customer: str, known_at: datetime) -> list[Row]:
    """Return the global adjustments on a charge: of the customer, of the vendor and of all, the last one of each."""
    found = []
    for scope, scope_id in (("customer", customer), ("vendor", charge.fact["vendor"]), ("all", None)):
        rows = [
            (fact_of(row), row)
            for row in _rows(reference, "global_adjustments")
            if (row["scope"], row.get("scope_id")) == (scope, scope_id)
            and in_force(row, charge.day)
            and fact_of(row).is_known(known_at)
        ]
        if rows:
            found.append(min(rows, key=lambda pair: _known_order(pair[0]))[1])
    return found


def untiered_total(reference: Reference, charge: Charge, term: Term) -> Fraction | None:
    """Return the price of a charge before adjustments; None where the term cannot price it."""
    row, share = term.row, percent(term.row)
    if row["method"] == "fixed":
        if charge.quantity is None or term_currency(reference, term) != charge.currency:
            return None
        return charge.quantity * Fraction(row["unit_price"])
    if row["method"] == "markup":
        return cost_of(charge) * (1 + share)
    listed = list_of(charge)
    if listed is None:
        return None
    return listed * {"srp": Fraction(1), "percent_of_srp": share, "srp_discount": 1 - share}[row["method"]]


def percent(row: Row) -> Fraction:
    """Return a row's percent as a share, 0 where it has none."""
    return Fraction(0) if row.get("percent") is None else Fraction(row["percent"]) / 100


def cost_of(charge: Charge) -> Fraction:
    """Return what the charge costs: as billed, for an item unit cost x quantity."""
    if charge.unit_cost is None:
        return charge.cost
    assert charge.quantity is not None
    return charge.unit_cost * charge.quantity


def list_of(charge: Charge) -> Fraction | None:
    """Return the charge at the suggested retail price, None where there is none."""
    if not charge.is_item:
        return charge.list_cost
    return None if charge.unit_list is None or charge.quantity is None else charge.unit_list * charge.quantity


def adjusted_total(charge: Charge, total: Fraction, share: Fraction) -> Fraction:
    """Return a price after adjustments: an item's unit price is kept to 15 decimals, the amount of usage to 24."""
    if not charge.is_item:
        return rounded(total * (1 + share), 24)
    assert charge.quantity is not None
    return rounded(total / charge.quantity * (1 + share), 15) * charge.quantity


def rounded(amount: Fraction, places: int) -> Fraction:
    """Round half away from zero."""
    scaled = abs(amount) * 10**places
    whole = int(scaled + Fraction(1, 2))
    return Fraction(whole, 10**places) * (-1 if amount < 0 else 1)


def _rows(reference: Reference, name: str) -> Sequence[Row]:
    return reference.get(name, ())
