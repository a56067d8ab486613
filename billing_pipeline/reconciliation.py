"""Three-way reconciliation: what a vendor says, what its rows add up to, what was attributed; and why they differ.

Amounts are compared exactly. A difference is divided into findings, each with a reason and an amount, which add up to
it. What no finding explains, or what means that somebody would be billed wrongly, blocks; an operator may accept it.
What does not belong here: adding up rows and finding offending ones (`sql/reconciliation`, `resources`), the record of
acceptances (`ledger.acceptances`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.money import EXACT, minor_unit
from billing_pipeline.reconciled_accounts import (
    BLOCKING,
    HARMLESS,
    NOTHING,
    Account,
    Evidence,
    Finding,
    Part,
    Verdict,
    add_up,
)


def judge(account: Account, evidence: Mapping[tuple[Part, str | None], Evidence] | None = None) -> Verdict:
    """Compare the three ways of an account and say why they differ.

    Args:
        account: what is known of it.
        evidence: by part and invoice of the open findings of a first verdict; None at first.

    Returns:
        The verdict, before any acceptance.
    """
    net, tax = account.vendor_net, account.vendor_tax if account.itemises_tax else None
    findings: list[Finding] = []
    difference = None if net is None else EXACT.subtract(net, account.rows_net)
    tax_difference = None if tax is None else EXACT.subtract(tax, account.rows_tax)
    for part, gap in (("net", difference), ("tax", tax_difference)):
        if gap or (gap is not None and account.names_invoices and account.invoices):
            findings += _explained(account, part, gap, evidence or {})  # type: ignore[arg-type]
    if account.is_settled:
        findings += _contradiction(account)
    if account.unattributed or not account.is_attributed:
        words = "the buckets do not hold what the rows add up to"
        findings.append(Finding("unattributed", "buckets", account.unattributed, words=words))
    return Verdict(difference, tax_difference, tuple(findings), net is not None)


def is_rounded(total: Decimal, rows: Decimal, currency: str) -> bool:
    """Tell whether a total is its rows rounded to the currency's minor unit, a half in either direction."""
    unit = minor_unit(currency)
    gap = abs(EXACT.subtract(total, rows))
    return EXACT.remainder(total, unit) == 0 and EXACT.multiply(gap, Decimal(2)) <= unit


def _explained(
    account: Account, part: Part, gap: Decimal, evidence: Mapping[tuple[Part, str | None], Evidence]
) -> list[Finding]:
    """Divide the difference of a part into findings."""
    findings: list[Finding] = []
    compared = _compared(account, part)
    if not gap and not any(one.is_blocking and None not in (one.total, one.rows) for one in compared):
        # The sums agree, and so does every invoice that both sides name.
        return []
    for one in compared:
        proof = evidence.get((part, one.invoice_id))
        is_open = one.is_blocking and one.total is not None and one.rows is not None
        findings += _proven(one, proof, account.currency) if proof is not None and is_open else [one]
    if not any(one.is_blocking for one in findings):
        return findings
    if not account.is_settled:
        return [Finding("not_yet_final", part, gap, words="the vendor still estimates")]
    if _apart(findings) <= account.tolerance:
        words = f"within the source's tolerance of {plain_decimal(account.tolerance)}"
        return [Finding("tolerance", part, gap, words=words)]
    return findings


def _apart(findings: Sequence[Finding]) -> Decimal:
    """Return by how much invoices deviate, all together: what one has too much makes up for nothing in another."""
    of_invoices: dict[str | None, Decimal] = {}
    for one in findings:
        of_invoices[one.invoice_id] = EXACT.add(of_invoices.get(one.invoice_id, NOTHING), one.amount)
    return add_up(abs(amount) for amount in of_invoices.values())


def _compared(account: Account, part: Part) -> list[Finding]:
    """Compare a part invoice by invoice where totals and rows name the same ones, else as a whole."""
    is_tax = part == "tax"
    rows = account.rows_tax if is_tax else account.rows_net
    total = account.vendor_tax if is_tax else account.vendor_net
    assert total is not None
    if not account.has_rows:
        return [_without_rows(account, part, total)]
    if account.is_file_rounded and not is_tax and account.file_net is not None:
        # The delivery's own total is its rows and its Rounding rows: checked when it was taken.
        rounding = EXACT.subtract(account.file_net, EXACT.add(account.rows_net, account.rows_tax))
        if rounding and rounding == EXACT.subtract(total, rows):
            return [Finding("rounding", part, rounding, total=total, rows=rows, words="rounding rows of the report")]
    stated = {one.invoice_id: (one.tax or NOTHING) if is_tax else one.net for one in account.totals}
    found = {one.invoice_id: one.tax if is_tax else one.net for one in account.invoices}
    if None in stated or not stated.keys() & found.keys():
        if total == rows:
            return []
        return [_gap(part, None, total, rows, account.currency, is_one=len(account.totals) <= 1)]
    findings = []
    for invoice_id in sorted(stated.keys() | found.keys(), key=lambda name: name or ""):
        one, other = stated.get(invoice_id), found.get(invoice_id)
        if one == other or not (one or other):
            continue
        if one is None:
            assert other is not None
            whose = "rows without invoice" if invoice_id is None else f"rows of invoice {invoice_id}"
            words = f"{whose} add up to {plain_decimal(other)}, and no total names them"
            findings.append(Finding("missing_total", part, -other, invoice_id, None, other, words))
        elif other is None:
            words = f"no row names invoice {invoice_id} of {plain_decimal(one)}"
            findings.append(Finding("missing_rows", part, one, invoice_id, one, None, words))
        else:
            findings.append(_gap(part, invoice_id, one, other, account.currency))
    return findings


def _without_rows(account: Account, part: Part, total: Decimal) -> Finding:
    if account.elsewhere:
        return Finding("no_rows", part, total, total=total, words=f"no rows in {account.currency}; {account.elsewhere}")
    return Finding("missing_rows", part, total, total=total, words="no delivery holds rows of the account and month")


def _gap(
    part: Part, invoice_id: str | None, total: Decimal, rows: Decimal, currency: str, is_one: bool = True
) -> Finding:
    """Return the finding of one total and its rows, which differ."""
    gap = EXACT.subtract(total, rows)
    whose = "" if invoice_id is None else f"invoice {invoice_id}: "
    kind = "tax" if part == "tax" else "total"
    if is_one and is_rounded(total, rows, currency):
        words = f"{whose}{kind} {plain_decimal(total)} is {plain_decimal(rows)} rounded"
        return Finding("rounding", part, gap, invoice_id, total, rows, words)
    reason = "missing_rows" if abs(total) > abs(rows) and (total > 0) == (gap > 0) else "unexplained"
    what = "more than" if gap > 0 else "less than"
    words = f"{whose}{kind} {plain_decimal(total)} is {plain_decimal(abs(gap))} {what} its rows, {plain_decimal(rows)}"
    return Finding(reason, part, gap, invoice_id, total, rows, words)


def _proven(finding: Finding, evidence: Evidence, currency: str) -> list[Finding]:
    """Return what explains an open finding to the last digit, but for rounding; else the finding itself."""
    assert finding.total is not None
    assert finding.rows is not None
    for repeated, mispriced in (
        (evidence.repeated, NOTHING),
        *((one, NOTHING) for one in evidence.repeats),
        (NOTHING, evidence.mispriced),
        *((one, evidence.mispriced) for one in (evidence.repeated, *evidence.repeats)),
    ):
        repaired = EXACT.add(EXACT.subtract(finding.rows, repeated), mispriced)
        if repaired == finding.rows or not (repaired == finding.total or is_rounded(finding.total, repaired, currency)):
            continue
        proven = []
        if repeated:
            words = f"identical rows stand more than once: {plain_decimal(repeated)} too much"
            proven.append(replace(finding, reason="repeated_rows", amount=-repeated, words=words))
        if mispriced:
            words = f"rows cost {plain_decimal(-mispriced)} more than their own price and exchange rate make"
            proven.append(replace(finding, reason="exchange_rate", amount=mispriced, words=words))
        rest = EXACT.subtract(finding.total, repaired)
        if rest:
            words = f"total {plain_decimal(finding.total)} is rounded"
            proven.append(replace(finding, reason="rounding", amount=rest, words=words))
        return proven
    return [finding]


def _contradiction(account: Account) -> list[Finding]:
    """Compare the delivery's own total with that of invoice_totals.csv, where there are both."""
    if not account.totals or account.file_net is None or not account.has_rows:
        return []
    net, tax = account.vendor_net, account.vendor_tax
    assert net is not None
    inside, beside = account.file_net, net
    if account.file_includes_tax:
        beside = EXACT.add(net, account.rows_tax if tax is None else tax)
    gap = EXACT.subtract(beside, inside)
    if gap == 0 and not account.file_includes_tax and None not in (tax, account.file_tax):
        assert tax is not None
        assert account.file_tax is not None
        inside, beside = account.file_tax, tax
        gap = EXACT.subtract(beside, inside)
    if abs(gap) <= account.tolerance:
        return []
    words = f"the delivery itself states {plain_decimal(inside)}, invoice_totals.csv {plain_decimal(beside)}"
    return [Finding("contradicting_totals", "totals", gap, total=beside, rows=inside, words=words)]


def detail_of(findings: Sequence[Finding], currency: str) -> str | None:
    """Return findings in words, the weightiest first; None where there is none."""
    ordered = sorted(findings, key=lambda one: (*BLOCKING, *HARMLESS).index(one.reason))
    told = [f"{one.reason} {plain_decimal(one.amount)} {currency}: {one.words}" for one in ordered]
    return "; ".join(told) or None
