"""Gather a file's totals while its rows stream by, and hold them against its charges at the end.

What does not belong here: what a total must be equal to (the format's `ControlRows.settle`).
"""

from dataclasses import replace
from decimal import Context, Decimal
from typing import Self

import duckdb

from billing_pipeline.errors import BadInput
from billing_pipeline.queries import load_sql
from billing_pipeline.vendors.control_rows import ControlRows, RecordSum, Settlement
from resources.typed_rows import TypedRows

# Python's own context keeps 28 digits: fewer than a DECIMAL(38,18) has.
_EXACT = Context(prec=76)


class ControlTotals:
    """The sums of one file's rows, by what the format's totals cover.

    Args:
        connection: where each row group is registered as `raw_rows`.
        rows: the file, and where its columns are.
        rules: of the format.
        tolerance: largest difference of a total that is accepted, in currency.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, rows: TypedRows, rules: ControlRows, tolerance: Decimal
    ) -> None:
        self.connection, self.rows, self.rules, self.tolerance = connection, rows, rules, tolerance
        self.period = rules.month_of(rows.file)
        self._sums: dict[tuple[str | None, ...], RecordSum] = {}

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, rows: TypedRows, tolerance: Decimal) -> Self | None:
        """Return the totals of a file whose format has any, else None."""
        rules = rows.vendor_format.control_rows
        return None if rules is None else cls(connection, rows, rules, tolerance)

    def take(self) -> str:
        """Add the row group that is registered now.

        Returns:
            The file's month, `YYYY-MM`.

        Raises:
            BadInput: neither the file's name nor its first rows say the month, or a row cannot be taken.
        """
        if self.period is None:
            self.period = self._period_of_rows()
        self._refuse_faults(self.period)
        for found in self.connection.execute(load_sql(self.rules.sums_sql)).fetchall():
            added = RecordSum(*found)
            key = (
                added.record_type,
                added.billing_account_id,
                added.sub_account_id,
                added.invoice_id,
                added.currency,
            )
            before = self._sums.get(key)
            self._sums[key] = added if before is None else _added(before, added)
        return self.period

    def settle(self) -> Settlement:
        """Compare the totals with the charges, once all rows were taken.

        Raises:
            BadInput: they do not agree.
        """
        header = self.rows.match.own_names[self.rules.cost_column]
        return self.rules.settle(self.rows.file, header, list(self._sums.values()), self.tolerance)

    def _period_of_rows(self) -> str:
        period = self.connection.execute(load_sql(self.rules.period_sql)).fetchall()[0][0]
        if period is None:
            raise BadInput(self.rows.file, "neither the file's name nor the dates of its rows say which month it is")
        return str(period)

    def _refuse_faults(self, period: str) -> None:
        found = self.connection.execute(load_sql(self.rules.faults_sql), {"billing_month": period}).fetchall()
        for row, name, value, reason in found:
            raise BadInput(self.rows.file, reason, row=row, column=self.rows.match.own_names[name], value=value)


def _added(one: RecordSum, other: RecordSum) -> RecordSum:
    return replace(
        one,
        amount=_EXACT.add(one.amount, other.amount),
        row_count=one.row_count + other.row_count,
        first_row=min(one.first_row, other.first_row),
    )
