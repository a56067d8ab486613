"""The three-way reconciliation as relations of a session: what every account comes to, and what blocks.

What does not belong here: what explains a difference (`billing_pipeline.reconciliation`), the rows behind one that is
open (`resources.difference_evidence`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import duckdb
import polars as pl

from billing_pipeline.configuration import Source
from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.money import EXACT
from billing_pipeline.queries import load_sql
from billing_pipeline.reconciled_accounts import Account, InvoiceRows, StatedTotal, Verdict
from billing_pipeline.reconciliation import detail_of, judge
from billing_pipeline.schemas.reconciliation import VENDOR_DIFFERENCES
from resources.difference_evidence import Key, find_evidence, first_unattributed, read_compared_rows
from resources.lake import Lake
from resources.relations import register_frames
from resources.vendor_totals import read_vendor_totals

# Formats whose files itemise tax: a total of tax can be held against their rows. Others do where a row shows it.
_ITEMISE_TAX: Final = ("aws_cur", "aws_cur2", "aws_dbr", "gcp_reseller", "ms_nce")
_WITH_TAX_IN_TOTAL: Final = "aws_dbr"
_KEY: Final = ("source", "billing_account_id", "billing_period", "currency")

Row = dict[str, Any]


def name_differences(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    sources: Sequence[Source],
    accepted: pl.DataFrame | None = None,
    periods: Sequence[str] | None = None,
    line_items: str = "period_items",
) -> None:
    """Compare what vendors say, what rows add up to and what was attributed, and name `vendor_differences`.

    `differences` are the rows of it that block the invoices of their source and period, each with its deliveries.

    Args:
        connection: session with `deliveries` (current ones) and `buckets` (usage_reconciliation of these).
        lake: the rows of the deliveries, and the totals that vendors state.
        sources: formats and tolerances; a source that is gone from billing.toml has no tolerance.
        accepted: columns of the table `accepted_differences`; None for nothing accepted.
        periods: billing periods of the session's deliveries, `YYYY-MM`; None for all.
        line_items: name of the relation of what was attributed, priced_line_items of these deliveries.
    """
    known = {source.id: source for source in sources}
    read_vendor_totals(connection, lake)
    formats = pl.DataFrame(
        [(source.id, source.format) for source in sources], schema={"source": pl.String, "format": pl.String},
        orient="row",
    )  # fmt: skip
    register_frames(connection, [("source_formats", formats)])
    connection.execute(
        f"create or replace temp table stated_totals as {load_sql('reconciliation/stated_totals')}",
        {"billing_periods": None if periods is None else list(periods)},
    )
    facts = {_key(row): row for row in _rows(connection, load_sql("reconciliation/three_way"))}
    _add_totals(connection, facts)
    accounts = {key: _account(row, known.get(key[0])) for key, row in facts.items()}
    verdicts = {key: judge(account) for key, account in accounts.items()}
    # Rows are read of few: what agrees, or is merely rounded, is known without them. Several invoices may agree in
    # their sum alone.
    doubtful = [
        key
        for key, verdict in verdicts.items()
        if facts[key]["has_rows"] and (verdict.is_blocking or accounts[key].names_invoices)
    ]
    read_compared_rows(connection, lake, doubtful)
    _add_invoices(connection, facts, doubtful)
    for key in doubtful:
        accounts[key] = _account(facts[key], known.get(key[0]))
        verdicts[key] = judge(accounts[key])
    lost = [key for key in doubtful if accounts[key].unattributed or not accounts[key].is_attributed]
    unattributed = first_unattributed(connection, lost, line_items)
    proofs = find_evidence(connection, {key: verdicts[key].open for key in doubtful if verdicts[key].open})
    for key, proof in proofs.items():
        verdicts[key] = judge(accounts[key], proof.evidence)
    latest: dict[Key, Row] = {}
    if accepted is not None:
        latest = {_key(row): row for row in accepted.sort("sequence").iter_rows(named=True)}
    found = [
        _row(
            facts[key],
            accounts[key],
            verdict,
            [*unattributed.get(key, []), *(proofs[key].first_rows(verdict.findings) if key in proofs else [])],
            latest.get(key),
            known.get(key[0]),
        )
        for key, verdict in verdicts.items()
    ]
    schema = VENDOR_DIFFERENCES.empty_frame().schema
    register_frames(connection, [(VENDOR_DIFFERENCES.name, pl.DataFrame(found, schema=schema, orient="row"))])
    # A total may block whose rows were never delivered.
    connection.execute(
        "create or replace temp table differences as"
        " select found.*, coalesce(deliveries.delivery_id, '') as delivery_id"
        f" from {VENDOR_DIFFERENCES.name} as found"
        " left join deliveries using (source, billing_account_id, billing_period, currency) where found.is_blocking"
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    result = connection.execute(query)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _key(row: Mapping[str, Any]) -> Key:
    return row["source"], row["billing_account_id"], row["billing_period"], row["currency"]


def _add_totals(connection: duckdb.DuckDBPyConnection, facts: Mapping[Key, Row]) -> None:
    """Give every account its stated totals, and say where its rows are if they are in another currency."""
    currencies: dict[tuple[str, ...], list[str]] = {}
    for key, row in facts.items():
        row["totals"], row["invoices"], row["elsewhere"] = [], [], ""
        if row["has_rows"]:
            currencies.setdefault(key[:3], []).append(key[3])
    for row in _rows(connection, "select * from stated_totals"):
        facts[_key(row)]["totals"].append(row)
    for key, row in facts.items():
        if not row["has_rows"] and key[:3] in currencies:
            row["elsewhere"] = f"the rows of the account are in {', '.join(currencies[key[:3]])}"


def _add_invoices(connection: duckdb.DuckDBPyConnection, facts: Mapping[Key, Row], keys: Sequence[Key]) -> None:
    """Add up the rows of accounts by invoice, and take their tax from the rows instead of the buckets."""
    if not keys:
        return
    for key in keys:
        facts[key]["tax_rows"] = facts[key]["tax_beside"] = Decimal(0)
    for row in _rows(connection, f"select * from ({load_sql('reconciliation/invoice_sums')}) order by all"):
        facts_of_key = facts.get(_key(row))
        if facts_of_key is None or _key(row) not in keys:
            continue
        tax = EXACT.add(row["tax_rows"], row["tax_beside"])
        facts_of_key["invoices"].append(InvoiceRows(row["invoice_id"], row["net"], tax))
        for name in ("tax_rows", "tax_beside"):
            facts_of_key[name] = EXACT.add(facts_of_key[name], row[name])


def _account(row: Row, source: Source | None) -> Account:
    """Return the three ways of an account."""
    is_item = row["format"] == "distributor_invoice"
    rows_tax = EXACT.add(row["tax_rows"], row["tax_beside"])
    return Account(
        currency=row["currency"],
        tolerance=Decimal(0) if source is None else source.tolerance,
        has_rows=row["has_rows"],
        is_final=row["is_final"],
        rows_net=EXACT.subtract(row["rows_total"], row["tax_rows"]),
        rows_tax=rows_tax,
        itemises_tax=not row["has_rows"] or row["format"] in _ITEMISE_TAX or rows_tax != 0,
        unattributed=EXACT.subtract(row["rows_total"], row["attributed_total"]),
        is_attributed=row["row_count"] == row["attributed_rows"],
        file_net=row["file_net"],
        # Of other formats it is the sum of the rows' own tax: nothing to compare them with.
        file_tax=row["file_tax"] if is_item else None,
        file_includes_tax=row["format"] == _WITH_TAX_IN_TOTAL,
        is_file_rounded=row["format"] == _WITH_TAX_IN_TOTAL,
        totals=tuple(
            StatedTotal(one["invoice_id"], one["net_total"], one["tax_total"], one["is_final"]) for one in row["totals"]
        ),
        invoices=tuple(row["invoices"]) if row["totals"] else (),
        elsewhere=row["elsewhere"],
    )


def _basis(row: Row) -> str:
    """Return the hash of what was compared: the deliveries and the totals."""
    totals = [
        [one["invoice_id"], plain_decimal(one["net_total"]), one["tax_total"] and plain_decimal(one["tax_total"])]
        for one in row["totals"]
    ]
    return hashlib.sha256(json.dumps([row["contents"], totals], default=str).encode()).hexdigest()


def _row(
    row: Row, account: Account, verdict: Verdict, first_rows: list[Row], accepted: Row | None, source: Source | None
) -> Row:
    """Return the row of `vendor_differences`."""
    basis = _basis(row)
    holds, notes = False, []
    if verdict.is_blocking and accepted is not None:
        seen = (accepted["difference"], accepted["tax_difference"], accepted["basis_sha256"])
        holds = seen == (verdict.difference, verdict.tax_difference, basis)
        if not holds:
            notes.append(
                f"{accepted['who']} accepted {_shown(accepted['difference'])} on {accepted['at']:%Y-%m-%d}; difference"
                " or files have changed since"
            )
    shown = verdict.accepted() if holds else verdict
    blocked = shown.is_blocking
    if blocked and source is not None and source.invoiced_through is not None:
        # Nothing of the feed stands on a document: the distributor's invoices bill it.
        blocked = False
        notes.append(f"blocks nothing: {source.invoiced_through} invoices what the feed itemises")
    # What was found stays told, also when it is accepted.
    detail = detail_of(verdict.findings, row["currency"])
    return {
        **{name: row[name] for name in _KEY},
        **_side_by_side(row, account, verdict),
        "vendor_net_total": account.vendor_net,
        "vendor_tax_total": account.vendor_tax,
        "cost_total": row["rows_total"],
        "rows_net_total": account.rows_net,
        "rows_tax_total": account.rows_tax,
        "attributed_total": row["attributed_total"],
        "row_count": row["row_count"],
        "net_difference": verdict.difference,
        "tax_difference": verdict.tax_difference,
        "unattributed": account.unattributed,
        "reason": shown.reason,
        "is_blocking": blocked,
        "detail": "; ".join([*([detail] if detail else []), *notes]) or None,
        "reasons": json.dumps(
            [
                {"reason": one.reason, "part": one.part, "amount": plain_decimal(one.amount), "invoice": one.invoice_id}
                for one in verdict.findings
            ],
            ensure_ascii=False,
        ),
        "first_rows": json.dumps([*first_rows, *_stated_rows(row, verdict)], ensure_ascii=False),
        "is_final": account.is_settled,
        "basis_sha256": basis,
        "accepted_by": accepted["who"] if holds and accepted else None,
        "accepted_reason": accepted["reason"] if holds and accepted else None,
        "accepted_at": accepted["at"] if holds and accepted else None,
    }


def _side_by_side(row: Row, account: Account, verdict: Verdict) -> Row:
    """Return the vendor's total, the rows and what is between them in one amount each, like with like."""
    vendor, rows, difference = account.vendor_net, account.rows_net, verdict.difference
    if vendor is None or difference is None:
        return {"vendor_total": None, "rows_total": row["rows_total"], "difference": None}
    if verdict.tax_difference is not None and account.vendor_tax is not None:
        vendor, rows = EXACT.add(vendor, account.vendor_tax), EXACT.add(rows, account.rows_tax)
        difference = EXACT.add(difference, verdict.tax_difference)
    return {"vendor_total": vendor, "rows_total": rows, "difference": difference}


def _shown(difference: Decimal | None) -> str:
    return "a difference" if difference is None else f"a difference of {plain_decimal(difference)}"


def _stated_rows(row: Row, verdict: Verdict) -> list[Row]:
    """Return the rows of invoice_totals.csv that do not agree with the vendor's rows."""
    invoices = {one.invoice_id for one in verdict.findings if one.is_blocking and one.part != "buckets"}
    return [
        {"file": one["file_name"], "row": one["row_number"], "column": "net_total",
         "value": plain_decimal(one["net_total"])}
        for one in row["totals"]
        if None in invoices or one["invoice_id"] in invoices
    ][:3]  # fmt: skip
