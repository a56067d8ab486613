"""Which version of a reference row a charge was priced with: what was known, and what filled a gap.

The rule is that of the pricing selects (`is_usable` and `knowledge_order` in `sql/macros.sql`): rows known when the
charge's delivery arrived come first, of them the one recorded last; only where none was known, a row recorded later
fills the gap, the earliest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

Row = Mapping[str, Any]
How = Literal["known", "fills_gap"]


@dataclass(frozen=True)
class Moment:
    """The day and the instants that decide which terms hold for a charge.

    Attributes:
        term_day: the day whose terms hold.
        day_reason: what happened on that day.
        known_at: terms recorded up to this instant count; UTC.
        known_reason: what happened at that instant.
        seen_at: the clock when the files were first landed; a row withdrawn before it fills no gap; UTC.
    """

    term_day: date
    day_reason: str
    known_at: datetime
    known_reason: str
    seen_at: datetime


@dataclass(frozen=True)
class Chosen:
    """A row and how it came to be taken.

    Attributes:
        how: `known` when the charge arrived, or `fills_gap` where nothing was known then.
    """

    row: Row
    how: How


def usable_rows(rows: Sequence[Row], moment: Moment) -> list[Chosen]:
    """Return the rows that may decide for a charge, the one that counts first.

    Args:
        rows: versions of one term or mapping, with `recorded_at`, `withdrawn_at` (None while a row is still in its
            file), `source_row` and, if the file has them, `valid_from` and `valid_to`.
        moment: the day and instants of the charge.
    """
    found = [
        Chosen(row, "known" if row["recorded_at"] <= moment.known_at else "fills_gap")
        for row in rows
        if _holds_on(row, moment.term_day) and _is_usable(row, moment)
    ]
    return sorted(found, key=_order)


def choose_row(rows: Sequence[Row], moment: Moment) -> Chosen | None:
    """Return the first of `usable_rows`, or None where there is none."""
    return next(iter(usable_rows(rows, moment)), None)


def _holds_on(row: Row, day: date) -> bool:
    first, end = row.get("valid_from"), row.get("valid_to")
    return (first is None or first <= day) and (end is None or day < end)


def _is_usable(row: Row, moment: Moment) -> bool:
    withdrawn_at = row["withdrawn_at"]
    deadline = moment.known_at if row["recorded_at"] <= moment.known_at else moment.seen_at
    return withdrawn_at is None or withdrawn_at > deadline


def _order(chosen: Chosen) -> tuple[Any, ...]:
    row, withdrawn_at = chosen.row, chosen.row["withdrawn_at"]
    recorded = row["recorded_at"].timestamp()
    newest_first = (
        -recorded,
        withdrawn_at is not None,
        -(withdrawn_at or row["recorded_at"]).timestamp(),
        row["source_row"],
    )
    if chosen.how == "known":
        return (0, 0.0, *newest_first)
    return (1, recorded, *newest_first)


def knowledge_sentence(chosen: Chosen, moment: Moment) -> str:
    """Say why a row counts: known at the decisive instant, or filling a gap."""
    recorded, known_at = instant_text(chosen.row["recorded_at"]), instant_text(moment.known_at)
    if chosen.how == "known":
        text = f"recorded {recorded}: known at {known_at}, {moment.known_reason}"
    else:
        text = f"nothing was known at {known_at}, {moment.known_reason}: recorded {recorded}, it fills the gap"
    withdrawn_at = chosen.row["withdrawn_at"]
    if withdrawn_at is not None:
        text += f"; no longer in the file since {instant_text(withdrawn_at)}"
    return text


def instant_text(instant: datetime) -> str:
    """Write an instant in UTC: `2026-11-08 10:00 UTC`, with seconds only where there are any."""
    has_seconds = instant.second or instant.microsecond
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC" if has_seconds else f"{instant:%Y-%m-%d %H:%M} UTC"
