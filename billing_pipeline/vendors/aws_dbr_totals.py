"""What the totals in an AWS detailed billing report must add up to.

Sources: the record types and that four of them are "control messages" are those of AWS's own parser
(awslabs/aws-detailed-billing-parser); that a PayerLineItem states again what LinkedLineItem rows say, and that control
rows feed the reconciliation, is this project's specification of vendor files. What each total covers follows from its
name and is checked, not assumed: a file in which it does not hold is refused with both numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Context, Decimal

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.control_rows import RecordSum, Settlement

CHARGES = ("LineItem", "LinkedLineItem", "PayerLineItem")
TOTALS = ("InvoiceTotal", "StatementTotal", "AccountTotal")
ROUNDING = "Rounding"
_RESTATING, _RESTATED = "PayerLineItem", "LinkedLineItem"

# Python's own context keeps 28 digits: fewer than a DECIMAL(38,18) has.
_EXACT = Context(prec=76)


def settle(file: str, cost_header: str, sums: Sequence[RecordSum], tolerance: Decimal) -> Settlement:
    """Compare every total of a report with the rows it covers.

    Charges and the Rounding rows together make a StatementTotal (all of a payer), an InvoiceTotal (those with its
    InvoiceID; a Rounding row without one belongs to the only invoice) and an AccountTotal (those of its
    LinkedAccountId, with or without the account's own Rounding).

    Args:
        file: name for errors.
        cost_header: the file's own header of the cost.
        sums: of all rows of the file.
        tolerance: largest difference that is accepted, in currency.

    Returns:
        The StatementTotal by payer, else the sum of its InvoiceTotals where every charge has one; and PayerLineItem as
        restated where the file has LinkedLineItem rows.

    Raises:
        BadInput: there is no charge, a total differs, a total stands twice, a total names no payer where there are
            several, or nothing tells whether PayerLineItem rows repeat the LinkedLineItem rows.
    """
    types = {one.record_type for one in sums}
    restated = frozenset({_RESTATING}) if {_RESTATING, _RESTATED} <= types else frozenset()
    if not types & set(CHARGES):
        raise BadInput(file, "the file has control rows and no charge")
    sums = _with_payer(file, sums)
    net_totals: dict[tuple[str, str], Decimal] = {}
    for payer, currency in sorted({(one.billing_account_id or "", one.currency) for one in sums}):
        own = [one for one in sums if (one.billing_account_id, one.currency) == (payer, currency)]
        statement = _Statement(file, cost_header, own, restated, tolerance)
        statement.check()
        net_total = statement.net_total()
        if net_total is not None:
            net_totals[payer, currency] = net_total
        elif restated:
            statement.check_restatement()
    return Settlement(net_totals, restated)


def _with_payer(file: str, sums: Sequence[RecordSum]) -> list[RecordSum]:
    """Give the rows of totals that name no payer the only one there is."""
    payers = {one.billing_account_id for one in sums if one.record_type in CHARGES}
    nameless = next((one for one in sums if one.billing_account_id is None), None)
    if nameless is not None and len(payers) > 1:
        raise BadInput(file, f"the {nameless.record_type} row names none of the payer accounts", row=nameless.first_row)
    return [one if one.billing_account_id else replace(one, billing_account_id=next(iter(payers))) for one in sums]


class _Statement:
    """One payer's rows of a report.

    Args:
        sums: of the payer's rows, one currency.
        restated: record types that are no charges.
    """

    def __init__(
        self, file: str, cost_header: str, sums: Sequence[RecordSum], restated: frozenset[str], tolerance: Decimal
    ) -> None:
        self.file, self.cost_header, self.sums, self.tolerance = file, cost_header, sums, tolerance
        self.charges = [one for one in sums if one.record_type in CHARGES and one.record_type not in restated]
        self.roundings = [one for one in sums if one.record_type == ROUNDING]
        self.totals = {kind: [one for one in sums if one.record_type == kind] for kind in TOTALS}

    def check(self) -> None:
        """Compare each total with its rows.

        Raises:
            BadInput: one differs, or stands twice.
        """
        self._refuse_repeated("StatementTotal", [""] * len(self.totals["StatementTotal"]))
        self._refuse_repeated("InvoiceTotal", [one.invoice_id or "" for one in self.totals["InvoiceTotal"]])
        self._refuse_repeated("AccountTotal", [one.sub_account_id or "" for one in self.totals["AccountTotal"]])
        for total in self.totals["StatementTotal"]:
            self._compare(total, "", self.charges, self.roundings)
        for total in self.totals["InvoiceTotal"]:
            self._compare(total, f" of invoice {total.invoice_id}", *self._of_invoice(total))
        for total in self.totals["AccountTotal"]:
            charges = [one for one in self.charges if one.sub_account_id == total.sub_account_id]
            roundings = [one for one in self.roundings if one.sub_account_id == total.sub_account_id]
            if self._differ(total.amount, _sum(charges)):
                self._compare(total, f" of account {total.sub_account_id}", charges, roundings)

    def net_total(self) -> Decimal | None:
        """Return what the vendor charges the payer in all, None where the report does not say."""
        if self.totals["StatementTotal"]:
            return self.totals["StatementTotal"][0].amount
        invoices = {one.invoice_id for one in self.totals["InvoiceTotal"]}
        covered = {one.invoice_id for one in self.charges} <= invoices or invoices == {None}
        return _sum(self.totals["InvoiceTotal"]) if invoices and covered else None

    def check_restatement(self) -> None:
        """Check that the PayerLineItem rows say the same as the others, where no total tells.

        Raises:
            BadInput: they do not.
        """
        repeating = [one for one in self.sums if one.record_type == _RESTATING]
        repeated = [one for one in self.charges if one.record_type == _RESTATED]
        if repeating and self._differ(_sum(repeating), _sum(repeated)):
            raise BadInput(
                self.file,
                f"PayerLineItem rows of {_plain(_sum(repeating))} stand beside LinkedLineItem rows of "
                f"{_plain(_sum(repeated))} {repeating[0].currency}, and no total says which are the charges",
                row=min(one.first_row for one in repeating),
                column=self.cost_header,
            )

    def _of_invoice(self, total: RecordSum) -> tuple[list[RecordSum], list[RecordSum]]:
        is_only = len(self.totals["InvoiceTotal"]) == 1
        if is_only and total.invoice_id is None:
            return self.charges, self.roundings
        charges = [one for one in self.charges if one.invoice_id == total.invoice_id]
        own = (total.invoice_id, None) if is_only else (total.invoice_id,)
        return charges, [one for one in self.roundings if one.invoice_id in own]

    def _refuse_repeated(self, kind: str, scopes: Sequence[str]) -> None:
        rows = self.totals[kind]
        if len(set(scopes)) < len(scopes) or any(one.row_count > 1 for one in rows):
            raise BadInput(self.file, f"the {kind} stands twice in the file", row=max(one.first_row for one in rows))

    def _compare(
        self, total: RecordSum, whose: str, charges: Sequence[RecordSum], roundings: Sequence[RecordSum]
    ) -> None:
        added_up, rounding = _sum([*charges, *roundings]), _sum(roundings)
        if self._differ(total.amount, added_up):
            shown = f" (Rounding {_plain(rounding)} among it)" if roundings else ""
            raise BadInput(
                self.file,
                f"the {total.record_type}{whose} is {_plain(total.amount)}, its rows add up to {_plain(added_up)} "
                f"{total.currency}{shown}",
                row=total.first_row,
                column=self.cost_header,
                value=_plain(total.amount),
            )

    def _differ(self, one: Decimal, other: Decimal) -> bool:
        return abs(_EXACT.subtract(one, other)) > self.tolerance


def _sum(sums: Iterable[RecordSum]) -> Decimal:
    added_up = Decimal(0)
    for one in sums:
        added_up = _EXACT.add(added_up, one.amount)
    return added_up


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
