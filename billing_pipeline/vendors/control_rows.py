"""Totals that a vendor writes among its charges: how a format declares them, and what they came to.

A row of a total is no charge. It says what the charges must add up to, and it may stand at the end of the file, so
its rules are applied to sums gathered over the whole file. What does not belong here: the rules themselves (the
format's own module), gathering the sums (`resources.control_rows`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath


@dataclass(frozen=True)
class RecordSum:
    """What the rows of one file add up to that have the same type, accounts, invoice and currency.

    Attributes:
        record_type: the vendor's own word for what the rows are.
        billing_account_id, sub_account_id, invoice_id: as in the file; None where it is blank.
        amount: exact, in `currency`.
        first_row: number of the first of the rows.
    """

    record_type: str
    billing_account_id: str | None
    sub_account_id: str | None
    invoice_id: str | None
    currency: str
    amount: Decimal
    row_count: int
    first_row: int


@dataclass(frozen=True)
class Settlement:
    """What the totals of a file say, once they agree with its charges.

    Attributes:
        net_totals: what the vendor charges in all, by billing account and currency.
        restated: record types that state other charges of the file a second time: their rows are no charges here.
    """

    net_totals: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    restated: frozenset[str] = frozenset()


Settle = Callable[[str, str, Sequence[RecordSum], Decimal], Settlement]


@dataclass(frozen=True)
class ControlRows:
    """A format that has rows of totals, and no column that says the month.

    Attributes:
        month_in_name: finds the month in a file's name; its first group is `YYYY-MM`.
        cost_column: the declared column that is added up.
        period_sql: name of the select that finds the month in `raw_rows`, for a name without one.
        faults_sql: name of the select that finds the first row of `raw_rows` that cannot be taken.
        sums_sql: name of the select that adds up `raw_rows`, columns as in `RecordSum`.
        settle: compares totals and charges; called with the file's name, its header of `cost_column`, the sums and the
            tolerance in currency; raises BadInput.
    """

    month_in_name: re.Pattern[str]
    cost_column: str
    period_sql: str
    faults_sql: str
    sums_sql: str
    settle: Settle

    def month_of(self, file: str) -> str | None:
        """Return the month `YYYY-MM` in a file's name, None where it has none; folders do not count."""
        found = self.month_in_name.search(PurePosixPath(file).name)
        return found[1] if found else None
