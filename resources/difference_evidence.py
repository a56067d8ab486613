"""The vendor rows behind differences: rows that stand twice, rows at another price, the first ones to look at.

Rows are only read of deliveries for which a vendor's total is known, and looked through only where a difference is
open. What does not belong here: what follows from it (`billing_pipeline.reconciliation`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.queries import load_sql
from billing_pipeline.reconciled_accounts import Evidence, Finding, Part
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from resources.charge_ids import CHARGE_ID_OF_ROW
from resources.lake import Lake
from resources.relations import read_files

# Source, billing account, billing period and currency.
Key = tuple[str, str, str, str]

# What tells two rows apart that are otherwise the same charge, written twice.
_PLACE = ("row_number", "x_file_name", "x_file_sha256", "x_row_key")
_COLUMN = "billed_cost"
_FEW = 3


@dataclass(frozen=True)
class Proof:
    """What the rows of an account show.

    Attributes:
        evidence: by part and invoice of its open differences.
        rows: by the same, and by reason: rows to look at.
    """

    evidence: dict[tuple[Part, str | None], Evidence]
    rows: dict[tuple[Part, str | None, str], list[dict[str, object]]]

    def first_rows(self, findings: Sequence[Finding]) -> list[dict[str, object]]:
        """Return file, row, column and value of the first rows behind findings that block."""
        found: list[dict[str, object]] = []
        for one in findings:
            reason = one.reason if one.reason in ("repeated_rows", "exchange_rate") else "unexplained"
            if one.is_blocking and one.reason != "missing_rows":
                found += self.rows.get((one.part, one.invoice_id, reason), [])[:_FEW]
        return found


def read_compared_rows(connection: duckdb.DuckDBPyConnection, lake: Lake, keys: Sequence[Key]) -> None:
    """Name `compared_rows`: the rows of some accounts' deliveries.

    Args:
        connection: session with `deliveries`.
        lake: where the rows are.
        keys: the accounts.
    """
    wanted = set(keys)
    found = connection.execute(
        "select distinct delivery_id, parquet_files, source, billing_account_id, billing_period, currency"
        " from deliveries"
    ).fetchall()
    compared = [(delivery, names) for delivery, names, *key in found if tuple(key) in wanted]
    files = sorted({str(lake.locate(name)) for _, names in compared for name in json.loads(names)})
    read_files(connection, "rows_of_files", VENDOR_CHARGES, files)
    connection.execute(
        "create or replace temp table compared_deliveries as select unnest(cast($ids as varchar[])) as delivery_id",
        {"ids": sorted({delivery for delivery, _ in compared})},
    )
    alike = ", ".join(f'"{name}"' for name in VENDOR_CHARGES.column_names if name not in _PLACE)
    # A distributor's rows repeat the tax of the invoice; the rows of others have their own.
    connection.execute(
        "create or replace temp view compared_rows as select"
        " source, billing_account_id, billing_period, billing_currency, invoice_id, x_file_name, row_number,"
        " case when x_charge_nature = 'tax' then 0 else billed_cost end as net_cost,"
        " case when x_charge_nature = 'tax' then billed_cost else 0 end as tax_rows,"
        " case when x_invoice_type is null then coalesce(x_tax_total, 0) else 0 end as tax_beside,"
        " tax_rows + tax_beside as tax_cost,"
        f" x_expected_cost, hash({alike}) as twin_key"
        " from rows_of_files where delivery_id in (select delivery_id from compared_deliveries)"
    )


def find_evidence(connection: duckdb.DuckDBPyConnection, gaps: Mapping[Key, Sequence[Finding]]) -> dict[Key, Proof]:
    """Look through the rows behind open differences.

    Args:
        connection: session with `compared_rows`.
        gaps: open findings by account.

    Returns:
        What was found, by account.
    """
    numbered = [(key, finding) for key, findings in gaps.items() for finding in findings]
    if not numbered:
        return {}
    connection.execute(
        "create or replace temp table gaps (gap_number integer, source varchar, billing_account_id varchar,"
        " billing_period varchar, currency varchar, invoice_id varchar, is_whole boolean, is_tax boolean,"
        " amount decimal(38, 18))"
    )
    for number, (key, finding) in enumerate(numbered):
        is_whole, is_tax = finding.invoice_id is None, finding.part == "tax"
        cells = [number, *key, finding.invoice_id, is_whole, is_tax, finding.amount]
        connection.execute(f"insert into gaps values ({', '.join('?' * len(cells))})", cells)
    repeated = _by_gap(connection, "repeated_rows")
    mispriced = _by_gap(connection, "mispriced_rows")
    suspects = _by_gap(connection, "suspect_rows")
    proofs: dict[Key, Proof] = {}
    for number, (key, finding) in enumerate(numbered):
        proof = proofs.setdefault(key, Proof({}, {}))
        twins, others = repeated.get(number, []), mispriced.get(number, [])
        key_of_gap = finding.part, finding.invoice_id
        proof.evidence[key_of_gap] = Evidence(
            repeated=twins[0]["every_amount"] if twins else Decimal(0),
            repeats=tuple(one["amount"] for one in twins),
            mispriced=others[0]["amount"] if others else Decimal(0),
        )
        for reason, rows in (
            ("repeated_rows", twins),
            ("exchange_rate", others),
            ("unexplained", suspects.get(number, [])),
        ):
            proof.rows[(*key_of_gap, reason)] = [_place(one) for one in rows]
    return proofs


def first_unattributed(
    connection: duckdb.DuckDBPyConnection, keys: Sequence[Key], line_items: str
) -> dict[Key, list[dict[str, object]]]:
    """Return the first rows of accounts whose charges are not priced once with all their cost.

    Args:
        connection: session with the rows of these accounts, see `read_compared_rows`.
        keys: the accounts.
        line_items: name of the relation of what was attributed.
    """
    if not keys:
        return {}
    connection.execute(
        f"create or replace temp view charged_rows as select {CHARGE_ID_OF_ROW} as charge_id, source,"
        " billing_account_id, billing_period, billing_currency as currency, x_file_name as file_name, row_number,"
        " billed_cost as cost from rows_of_files"
        " where delivery_id in (select delivery_id from compared_deliveries);"
        f"create or replace temp view priced_charges as select charge_id, total_cost, row_count from {line_items}"
    )
    found: dict[Key, list[dict[str, object]]] = {}
    for source, account, period, currency, *row, _ in connection.execute(
        load_sql("reconciliation/unattributed_rows")
    ).fetchall():
        place = _place(dict(zip(("file_name", "row_number", "cost"), row, strict=True)))
        found.setdefault((source, account, period, currency), []).append(place)
    return {key: found[key] for key in keys if key in found}


def _place(row: dict[str, Any]) -> dict[str, object]:
    place = {"file": row["file_name"], "row": row["row_number"]}
    return {**place, "column": _COLUMN, "value": plain_decimal(row["cost"])}


def _by_gap(connection: duckdb.DuckDBPyConnection, name: str) -> dict[int, list[dict[str, Any]]]:
    result = connection.execute(load_sql(f"reconciliation/{name}"))
    names = [column[0] for column in result.description or []]
    found: dict[int, list[dict[str, Any]]] = {}
    for cells in result.fetchall():
        row = dict(zip(names, cells, strict=True))
        found.setdefault(row["gap_number"], []).append(row)
    return found
