"""Which totals count follows from when the files arrived: drawn files against the rules in a few lines of Python."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.schemas.vendor_totals import VENDOR_TOTALS
from tests.sql.inline import make, select, session, table_types

File = dict[str, Any]


def instants(days: int) -> st.SearchStrategy[datetime]:
    return st.integers(1, days).map(lambda day: datetime(2026, 11, day, tzinfo=UTC))


INVOICES = st.lists(
    st.fixed_dictionaries(
        {
            "billing_account_id": st.sampled_from("AB"),
            "invoice_id": st.sampled_from([None, "V-1", "V-2"]),
            "net_total": st.integers(-5, 5).map(Decimal),
            "is_final": st.booleans(),
        }
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda one: (one["billing_account_id"], one["invoice_id"]),
)
FILES = st.lists(
    st.fixed_dictionaries(
        {
            "file_name": st.sampled_from(["invoice_totals.csv", "b/invoice_totals.csv"]),
            "received_at": instants(3),
            "landed_at": instants(2),
            "invoices": INVOICES,
        }
    ),
    max_size=5,
    # Of two versions that arrive and land at one instant nothing says which is the newer.
    unique_by=lambda one: (one["received_at"], one["landed_at"]),
)


def rows_of(files: list[File]) -> list[dict[str, Any]]:
    return [
        {
            "source": "aws",
            "billing_period": "2026-10",
            "currency": "USD",
            "file_sha256": str(number),
            "row_number": row,
            **{name: file[name] for name in ("file_name", "received_at", "landed_at")},
            **invoice,
        }
        for number, file in enumerate(files)
        for row, invoice in enumerate(file["invoices"], start=1)
    ]


def in_force(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    connection = session()
    make(connection, "every_vendor_total", table_types(VENDOR_TOTALS), *rows)
    found = select(connection, "reconciliation/current_vendor_totals")
    return sorted(
        (row["billing_account_id"], row["invoice_id"] or "", row["net_total"], row["file_sha256"]) for row in found
    )


def expected(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Take what every file says of an account today, and leave out what newer files have made void."""
    latest: dict[tuple[str, str], tuple[datetime, datetime]] = {}
    for row in rows:
        place = (row["file_name"], row["billing_account_id"])
        latest[place] = max(latest.get(place, _arrival(row)), _arrival(row))
    said = [row for row in rows if latest[row["file_name"], row["billing_account_id"]] == _arrival(row)]
    kept = [
        row for account in "AB" for row in _of_account([one for one in said if one["billing_account_id"] == account])
    ]
    return sorted(
        (row["billing_account_id"], row["invoice_id"] or "", row["net_total"], row["file_sha256"]) for row in kept
    )


def _of_account(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    newest_of = {row["invoice_id"]: row for row in sorted(said, key=_arrival)}
    newest = max((_arrival(row) for row in said), default=None)
    named = [row for number, row in newest_of.items() if number is not None]
    beside = [row for row in named if _arrival(row) == newest]
    final = [row for row in named if row["is_final"]]
    older_final = [row for row in final if row not in beside]
    whole = newest_of.get(None)
    if whole is not None and _arrival(whole) == newest and (whole["is_final"] or not older_final):
        return [whole, *beside]
    return [row for row in named if row["is_final"] or not any(_arrival(other) > _arrival(row) for other in final)]


def _arrival(row: dict[str, Any]) -> tuple[datetime, datetime]:
    return row["received_at"], row["landed_at"]


@given(FILES, st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_the_totals_in_force_are_those_that_the_arrivals_leave(files: list[File], random: Any) -> None:
    rows = rows_of(files)
    shuffled = random.sample(rows, len(rows))
    assert in_force(shuffled) == expected(rows)
