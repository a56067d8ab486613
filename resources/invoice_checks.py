"""Checks of a distributor invoice that no single cell can show: one header, and its total."""

import duckdb

from billing_pipeline.errors import BadInput
from billing_pipeline.money import round_money
from billing_pipeline.queries import load_sql
from billing_pipeline.vendors.header import HeaderMatch


def check_invoices(connection: duckdb.DuckDBPyConnection, file: str, match: HeaderMatch) -> None:
    """Check the invoices of one file, its rows in the view `converted_rows`.

    Args:
        file: name for errors.
        match: the vendor's own header texts.

    Raises:
        BadInput: items of one invoice disagree on a header value; an issued invoice does not say when;
            a credit's net total is negative in the file; or the net total is neither the exact sum of
            the items nor that sum rounded to the currency's minor unit.
    """
    disagreements = connection.execute(load_sql("staging/invoice_header_disagreements")).fetchall()
    for row, name, value, first_value, first_row, number in disagreements:
        raise BadInput(
            file, f"invoice {number} says {first_value or 'nothing'} in row {first_row}: header values must agree",
            row=row, column=match.own_names[name], value=value,
        )  # fmt: skip
    totals = connection.execute(load_sql("staging/invoice_totals")).fetchall()
    for number, currency, row, kind, status, issued_at, net_total, items_total in totals:
        if status == "issued" and issued_at is None:
            raise BadInput(
                file, f"invoice {number} is issued but does not say when", row=row, column=match.own_names["issued_at"]
            )
        sign = -1 if kind == "credit" else 1
        if kind == "credit" and net_total > 0:
            raise BadInput(
                file, f"invoice {number} is a credit: its amounts are positive in the file",
                row=row, column=match.own_names["net_total"], value=f"{net_total * sign:f}",
            )  # fmt: skip
        if net_total not in (items_total, round_money(items_total, currency)):
            raise BadInput(
                file, f"invoice {number} states a net total of {_plain(net_total * sign)}, "
                f"its items add up to {_plain(items_total * sign)} {currency}",
                row=row, column=match.own_names["net_total"], value=_plain(net_total * sign),
            )  # fmt: skip


def _plain(amount: object) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
