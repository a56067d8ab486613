"""An invoice that says what the one before it says is a repeat; one that says something else, or again, is none."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from billing_pipeline.repeated_invoices import find_repeats

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
Version = tuple[int, str | None]


def invoices(*versions: Version, slot: str = "dist/N1", status: str = "issued") -> pl.DataFrame:
    """Versions of an invoice: day of arrival and content."""
    rows = [
        {
            "slot": slot,
            "sha256": f"file {index}",
            "content_sha256": content,
            "received_at": START + timedelta(days=day),
            "landed_at": START,
            "invoice_status": status,
        }
        for index, (day, content) in enumerate(versions)
    ]
    instant = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        rows, schema_overrides={"received_at": instant, "landed_at": instant, "content_sha256": pl.String}
    )


def repeats(frame: pl.DataFrame) -> dict[str, int]:
    """Day since which each repeat is unchanged, by file."""
    found = find_repeats(frame)
    return {sha256: (since - START).days for _, sha256, since in found.sort("sha256").iter_rows()}


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ("A", {}),
        ("AA", {"file 1": 0}),
        ("AAA", {"file 1": 0, "file 2": 0}),
        ("AB", {}),
        ("ABA", {}),
        ("ABAA", {"file 3": 2}),
        ("AABB", {"file 1": 0, "file 3": 2}),
    ],
)
def test_only_the_version_before_counts(contents: str, expected: dict[str, int]) -> None:
    versions = list(enumerate(contents))
    assert repeats(invoices(*versions)) == expected
    assert repeats(invoices(*versions).reverse()) == expected


def test_unknown_contents_are_never_the_same() -> None:
    assert repeats(invoices((0, None), (1, None), (2, "A"))) == {}


def test_invoices_of_other_numbers_are_other_invoices() -> None:
    assert repeats(pl.concat([invoices((0, "A")), invoices((1, "A"), slot="dist/N2")])) == {}


def test_of_one_instant_the_issued_one_comes_last_as_it_is_the_current_one() -> None:
    pending = invoices((0, "P"), status="pending").with_columns(sha256=pl.lit("pending"))
    issued = invoices((0, "I")).with_columns(sha256=pl.lit("issued"))
    later = invoices((1, "I")).with_columns(sha256=pl.lit("later"))
    assert repeats(pl.concat([later, issued, pending])) == {"later": 0}


def test_nothing_repeats_nothing() -> None:
    assert repeats(invoices((0, "A")).clear()) == {}
