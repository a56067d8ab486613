"""Invoice numbers: one series per organisation and year, gapless, in the order in which documents are approved.

A number is taken in the transaction that gives it to a document: what is undone has taken none. What does not belong
here: the documents (`ledger.life`).
"""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import ColumnElement, Connection, select, text, update

from billing_pipeline.ledger.tables import invoice_numbers


@dataclass(frozen=True)
class NumberSeries:
    """One series of numbers: `{series}-{year}-{000001}`.

    Attributes:
        organisation_id: the reseller.
        series: what the numbers begin with.
        year: year of approval in the organisation's zone.
    """

    organisation_id: str
    series: str
    year: int

    def number(self, count: int) -> str:
        """Return the number of the `count`th document of the series."""
        return f"{self.series}-{self.year}-{count:06d}"


class NumberCounter:
    """The counter of a series, locked until the transaction ends."""

    def __init__(self, connection: Connection, series: NumberSeries, last: int) -> None:
        self._connection = connection
        self._series = series
        self._last = last
        self._first = last

    @classmethod
    def lock(cls, connection: Connection, series: NumberSeries) -> Self:
        """Lock a series and read its last number; others who want one of its numbers wait.

        Args:
            connection: a transaction that may write.
        """
        connection.execute(
            text(
                "insert into invoice_numbers (organisation_id, series, year, last_number)"
                " values (:organisation_id, :series, :year, 0) on conflict do nothing"
            ),
            vars(series),
        )
        locked = select(invoice_numbers.c.last_number).where(*_own(series)).with_for_update()
        return cls(connection, series, connection.execute(locked).scalar_one())

    def take(self) -> str:
        """Return the next number; `save` keeps it."""
        self._last += 1
        return self._series.number(self._last)

    def save(self) -> None:
        """Write the last number taken, in the transaction of `lock`."""
        if self._last == self._first:
            return
        change = update(invoice_numbers).where(*_own(self._series)).values(last_number=self._last)
        self._connection.execute(change)
        self._first = self._last


def _own(series: NumberSeries) -> list[ColumnElement[bool]]:
    return [invoice_numbers.c[name] == value for name, value in vars(series).items()]
