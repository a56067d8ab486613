"""A reseller's months in any order: deliveries, restatements, locks, credits, and what must hold after each step."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from billing_pipeline.errors import BillingError
from billing_pipeline.invoicing import DraftOptions, Invoice
from billing_pipeline.ledger.corrections import draft_credit_note
from billing_pipeline.ledger.life import close, delete_drafts, void
from tests.properties import conservation, drawn_deliveries
from tests.properties.billing_world import CUSTOMERS, World
from tests.properties.drawn_deliveries import INVOICE_NUMBERS, MONTHS, SLOTS
from tests.properties.vendor_months import VENDORS, Delivery, current

DRAFTED_MONTHS = (*MONTHS, "2026-11")
_FINAL = st.sampled_from([True, True, True, False])
_STATUS = st.sampled_from(["issued", "issued", "issued", "pending"])
_CUSTOMERS = st.one_of(st.none(), st.sets(st.sampled_from(sorted(CUSTOMERS)), min_size=1).map(sorted).map(tuple))


class Months(RuleBasedStateMachine):
    """Draws what happens to a reseller.

    Args:
        connection: a session with the macros.
        ledger: bytes of an empty ledger.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, ledger: bytes) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(prefix="conservation_")
        self.world = World(connection, Path(self.folder.name), ledger)
        self.issued: dict[str, conservation.Issued] = {}
        self.with_fees = False

    @initialize(with_fees=st.booleans(), data=st.data())
    def begin(self, with_fees: bool, data: st.DataObject) -> None:
        """Take the first deliveries."""
        self.with_fees = with_fees
        slots = data.draw(st.lists(st.sampled_from(SLOTS), min_size=2, max_size=3, unique=True))
        self._take([data.draw(drawn_deliveries.usage(slot, self.world.now, _FINAL)) for slot in slots])
        # What comes meets a month that is locked, in part by estimates.
        self._draft_and_approve(MONTHS[0], override=True)

    def _take(self, deliveries: Sequence[Delivery]) -> None:
        self.world.take(*deliveries)
        conservation.check_buckets(self.world)
        self._pass_time()

    def _lock(self, data: st.DataObject) -> None:
        """Draft and approve some months, so that what follows meets locked ones."""
        override = data.draw(st.booleans())
        for month in data.draw(st.lists(st.sampled_from(DRAFTED_MONTHS), max_size=2, unique=True)):
            self._draft_and_approve(month, override)

    def _draft_and_approve(self, month: str, override: bool) -> None:
        self._draft(month, self._options(override))
        self.world.approve([one.invoice_id for one in self._documents("draft")])
        self._pass_time()

    def _options(self, override: bool, customers: tuple[str, ...] | None = None) -> DraftOptions:
        return DraftOptions(
            include_marketplace_fees=self.with_fees,
            apply_credits=self.with_fees,
            override_unsettled="we cannot wait" if override else None,
            customers=customers,
        )

    def _pass_time(self) -> None:
        self.world.now += timedelta(days=1)

    def _documents(self, *statuses: str) -> list[Invoice]:
        return [one for one in self.world.documents() if one.status in statuses]

    # -- what vendors do

    @rule(data=st.data())
    def usage_arrives_or_is_restated(self, data: st.DataObject) -> None:
        """Take one or two accounts' months, new or delivered before, sometimes under terms that have changed."""
        data.draw(st.sampled_from([lambda _: None, self._account_moves, self._price_changes]))(data)
        known = {one.slot: one for one in current(self.world.deliveries)}
        slots = data.draw(st.lists(st.sampled_from(SLOTS), min_size=1, max_size=2, unique=True))
        found = []
        for slot in slots:
            before = known.get("/".join(slot))
            found.append(
                data.draw(
                    drawn_deliveries.usage(slot, self.world.now, _FINAL)
                    if before is None
                    else drawn_deliveries.restatement(before, self.world.now, _FINAL)
                )
            )
        self._take(found)
        self._lock(data)

    def _account_moves(self, data: st.DataObject) -> None:
        """Record that an account belongs to another customer, or to one at all; run a day again, which fills gaps."""
        self.world.know(
            "accounts",
            source=data.draw(st.sampled_from(["aws", "cloud"])),
            account_id=data.draw(st.sampled_from(["a1", "a4"])),
            customer_id=data.draw(st.sampled_from(sorted(CUSTOMERS))),
            valid_from=data.draw(st.sampled_from([date(2026, 1, 1), date(2026, 9, 10)])),
        )
        self._pass_time()
        days = sorted({f"{one.received_at:%Y-%m-%d}" for one in self.world.deliveries})
        self.world.run_days([data.draw(st.sampled_from(days))])

    def _price_changes(self, data: st.DataObject) -> None:
        """Record another markup, for days that have passed too."""
        vendor = data.draw(st.sampled_from(sorted(VENDORS.values())))
        percent = data.draw(st.sampled_from(["0", "-5", "33.3333"]).map(Decimal))
        terms = {"scope": "vendor", "scope_id": vendor, "method": "markup", "percent": percent}
        self.world.know("pricing_rules", rule_id=f"R-{vendor}", valid_from=date(2026, 9, 1), **terms)
        self._pass_time()

    @rule(number=st.sampled_from(INVOICE_NUMBERS), data=st.data())
    def distributor_sends_an_invoice(self, number: str, data: st.DataObject) -> None:
        """Take a distributor's invoice, a new one or another version of one."""
        known = {one.account: one for one in current(self.world.deliveries)}
        before = known.get(number)
        # What has been issued is not pending again.
        status = st.just("issued") if before is not None and before.status == "issued" else _STATUS
        drawn = (
            drawn_deliveries.invoice(number, self.world.now, status)
            if before is None
            else drawn_deliveries.reissue(before, self.world.now, status)
        )
        self._take([data.draw(drawn)])
        self._lock(data)

    @precondition(lambda self: self._debits())
    @rule(data=st.data())
    def distributor_sends_a_credit_note(self, data: st.DataObject) -> None:
        """Take a credit note to an item of an invoice."""
        self._take([data.draw(drawn_deliveries.credit_note(self._debits(), self.world.now))])

    def _debits(self) -> list[Delivery]:
        newest = current(self.world.deliveries)
        return [one for one in newest if one.status == "issued" and one.account in INVOICE_NUMBERS]

    # -- what happens to documents

    @rule(
        month=st.sampled_from(DRAFTED_MONTHS), override=st.booleans(), customers=_CUSTOMERS, is_approved=st.booleans()
    )
    def a_month_is_drafted(
        self, month: str, override: bool, customers: tuple[str, ...] | None, is_approved: bool
    ) -> None:
        """Draft a month; whoever has a draft then has been billed what he owes, in earlier months too."""
        self._draft(month, self._options(override, customers))
        if is_approved:
            self.world.approve([one.invoice_id for one in self._documents("draft")])
        self._pass_time()

    def _draft(self, month: str, options: DraftOptions) -> None:
        result = self.world.draft(month, options)
        drafted = {*result.created, *result.replaced, *result.unchanged}
        documents = self.world.documents()
        customers = {one.customer.id for one in documents if one.invoice_id in drafted}
        locked = {
            (one.customer.id, one.billing_period)
            for one in documents
            if one.document_type == "invoice" and (one.invoice_id in drafted or one.status not in {"draft", "void"})
        }
        waits = set() if options.override_unsettled else self._not_final()
        owed = conservation.owed(
            self.world, with_fees=self.with_fees, with_estimates=options.override_unsettled is not None
        )
        differing = conservation.same(
            owed,
            conservation.billed(self.world),
            lambda one: (
                one.customer in customers
                and one.period <= month
                and (one.customer, one.period) in locked
                and (one.source, one.account, one.period) not in waits
            ),
        )
        assert not differing, differing

    def _not_final(self) -> set[tuple[str, str, str]]:
        return {(one.source, one.account, one.period) for one in current(self.world.deliveries) if not one.has_ended}

    @precondition(lambda self: self._documents("draft"))
    @rule(data=st.data(), all_of_them=st.booleans())
    def drafts_are_approved(self, data: st.DataObject, all_of_them: bool) -> None:
        """Approve drafts: from now on they never change."""
        self.world.approve(self._some(data, all_of_them, "draft"))
        self._pass_time()

    @precondition(lambda self: self._documents("draft"))
    @rule(data=st.data())
    def drafts_are_deleted(self, data: st.DataObject) -> None:
        """Delete drafts."""
        with self.world.engine.begin() as connection:
            delete_drafts(connection, self._some(data, False, "draft"), self.world.act())

    @precondition(lambda self: self._documents("open"))
    @rule(data=st.data(), is_paid=st.booleans())
    def a_document_ends(self, data: st.DataObject, is_paid: bool) -> None:
        """Make an issued document void, or close it."""
        [chosen, *_] = self._some(data, False, "open")
        with self.world.engine.begin() as connection:
            if is_paid:
                close(connection, [chosen], self.world.now.date(), self.world.act())
            else:
                void(connection, [chosen], "wrong", self.world.act())

    @precondition(lambda self: self._documents("open", "closed"))
    @rule(data=st.data())
    def a_document_is_corrected(self, data: st.DataObject) -> None:
        """Draft a credit note to an issued document."""
        [chosen, *_] = self._some(data, False, "open", "closed")
        try:
            with self.world.engine.begin() as connection:
                draft_credit_note(connection, chosen, None, "a gift", self.world.act())
        except BillingError:
            # A credit note itself, or taken back already: refused before anything is written.
            return

    def _some(self, data: st.DataObject, all_of_them: bool, *statuses: str) -> list[str]:
        ids = [one.invoice_id for one in self._documents(*statuses)]
        return ids if all_of_them else data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=2, unique=True))

    # -- what holds

    @invariant()
    def what_is_issued_never_changes(self) -> None:
        """Compare the bytes of every issued document with those of before."""
        now = conservation.issued(self.world)
        assert self.issued.items() <= now.items()
        self.issued = now
        conservation.check_numbers(self.world.documents())

    @invariant()
    def documents_add_up(self) -> None:
        """Check every document against the charges behind it."""
        conservation.check_documents(self.world)

    def teardown(self) -> None:
        """Let every vendor come to an end and bill it all: then everything owed is billed, to the last decimal."""
        try:
            if self.world.deliveries:
                self._settle()
        finally:
            self.world.close()
            self.folder.cleanup()

    def _settle(self) -> None:
        self._take([replace(one.ended(), received_at=self.world.now) for one in current(self.world.deliveries)])
        for month in (*DRAFTED_MONTHS, "2026-12"):
            result = self.world.draft(month, self._options(False))
            assert {error.kind for error in result.errors} <= {"already_invoiced"}, result.errors
            drafts = [one.invoice_id for one in self._documents("draft") if one.document_type == "invoice"]
            assert not self.world.approve(drafts).refused
            self._pass_time()
        self.what_is_issued_never_changes()
        self.documents_add_up()
        booked = conservation.billed(self.world)
        owed = conservation.owed(self.world, with_fees=self.with_fees, with_estimates=False)
        assert not conservation.same(owed, booked), conservation.same(owed, booked)
        conservation.check_remainder(self.world, booked, self.with_fees)
