"""A sample of the corruption sweep (`make test-corruption` runs all of it), and proof that both can see."""

import struct
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from billing_pipeline.errors import BadInput
from tests.faults.corruption_sweep import Damage, Sweep, is_allowed, outcome, sweep
from tests.faults.deliveries import deliveries
from tests.vendor_files import convert_file
from tests.vendors.aws_cur2 import rows as cur2

DELIVERIES = {delivery.name: delivery for delivery in deliveries()}
COVERED = [delivery for delivery in DELIVERIES.values() if delivery.protection != "nothing"]


def test_no_damage_ends_in_a_silently_wrong_amount() -> None:
    counts = sweep(96, seed=2, chosen=COVERED)
    outcomes = [(name, found) for name, counter in counts.items() for found in counter]
    assert [(name, found) for name, found in outcomes if not is_allowed(DELIVERIES[name], found)] == []
    assert sum(counter["refused"] for counter in counts.values()) > 60


def test_a_checksum_beside_the_file_covers_what_nothing_else_does() -> None:
    """The same damage, in the middle of an amount, with and without a checksum file."""
    for name in ("cur.csv with manifest", "azure csv with manifest"):
        bare = DELIVERIES[name]
        content = bare.files[bare.damaged]
        damage = Damage(content.index(b"79.19") + 1, 1)
        with Sweep() as taken:
            original = taken.take(bare)
            assert original is not None
            assert outcome(original, taken.take(bare, damage)) == "wrong amount"
            assert outcome(original, taken.take(bare.with_checksum(), damage)) == "refused"
            assert outcome(original, taken.take(bare.with_list(), damage)) == "refused"
            assert outcome(original, taken.take(bare.with_list())) == "harmless"


def rows(*costs: str) -> pl.DataFrame:
    """Canonical rows, as far as the sweep looks at them."""
    count = len(costs)
    frame = pl.DataFrame({
        "billing_account_id": ["N1", *["N2"] * (count - 1)], "billing_period": ["2026-10"] * count,
        "billing_currency": ["EUR"] * count, "sub_account_id": [str(index) for index in range(count)],
        "row_number": list(range(count)), "x_row_key": [str(index) for index in range(count)],
        "billed_cost": [Decimal(cost) for cost in costs], "charge_description": ["text"] * count,
    })  # fmt: skip
    others = ("list_cost", "effective_cost", "contracted_cost", "x_tax_total", "x_list_price")
    return frame.with_columns(pl.col("billed_cost").alias(name) for name in others)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda frame: None, "refused"),
        (lambda frame: frame, "harmless"),
        (lambda frame: frame.head(2), "wrong row count"),
        (lambda frame: frame.tail(2), "whole invoice lost"),
        (lambda frame: rows("1.00", "2.00", "3.01"), "wrong amount"),
        (lambda frame: rows("1.00", "2.00", "3.004"), "within rounding"),
        (lambda frame: rows("1.00", "3.00", "2.00"), "wrong account sum"),
        (lambda frame: frame.with_columns(billing_period=pl.lit("2026-11")), "other invoice, month or currency"),
        (lambda frame: frame.with_columns(list_cost=pl.lit(Decimal(9))), "wrong list price"),
        (lambda frame: frame.with_columns(charge_description=pl.lit("tent")), "wrong text"),
    ],
)
def test_the_sweep_tells_what_damage_did(damage: Callable[[pl.DataFrame], pl.DataFrame | None], expected: str) -> None:
    original = rows("1.00", "2.00", "3.00")
    assert outcome(original, damage(original)) == expected


def test_the_sweep_fails_on_what_it_finds() -> None:
    plain, packed = DELIVERIES["invoice.csv"], DELIVERIES["invoice.xlsx"]
    assert not is_allowed(plain, "wrong amount")
    assert not is_allowed(plain, "wrong row count")
    assert is_allowed(plain, "wrong text")
    assert not is_allowed(packed, "wrong text")


def test_damage_changes_one_byte_or_cuts() -> None:
    assert Damage(1, 0xFF).of(b"abc") == b"a\x9dc"
    assert Damage(1, None).of(b"abc") == b"a"


def cur2_parquet(path: Path, **options: object) -> bytes:
    """A report of three rows, whose amounts lie bare in the file."""
    rows = [{**cur2.PLAIN, "identity_line_item_id": str(index)} for index in range(3)]
    columns = {name: pa.array([row[name] for row in rows]) for name in cur2.PLAIN}
    columns["line_item_unblended_cost"] = pa.array([1.25, 2.5, 7.75])
    parquet.write_table(pa.table(columns), path, compression="none", use_dictionary=False, **options)
    return path.read_bytes()


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        convert_file("aws_cur2", path, path.with_name("refused.parquet"))
    return caught.value.reason


def with_amount(content: bytes, old: float, new: float) -> bytes:
    """Change an amount in the page, and leave the statistics as they are."""
    before, after = struct.pack("<d", old), struct.pack("<d", new)
    assert before in content
    return content.replace(before, after, 1)


def test_a_parquet_value_beyond_the_stated_largest_is_refused(tmp_path: Path) -> None:
    content = cur2_parquet(tmp_path / "in.parquet")
    reason = refused(tmp_path / "in.parquet", with_amount(content, 2.5, 2500.0))
    assert "column line_item_unblended_cost holds 1.25 to 2500.0 where it says 1.25 to 7.75" in reason


def test_a_parquet_value_inside_the_stated_range_is_refused_where_pages_have_checksums(tmp_path: Path) -> None:
    content = cur2_parquet(tmp_path / "in.parquet", write_page_checksum=True)
    reason = refused(tmp_path / "in.parquet", with_amount(content, 2.5, 3.5))
    assert "CRC" in reason


def test_a_parquet_value_inside_the_stated_range_is_not_noticed_without_checksums(tmp_path: Path) -> None:
    """What is left: documented in `resources.parquet_checks`, measured by the sweep."""
    content = cur2_parquet(tmp_path / "in.parquet")
    (tmp_path / "in.parquet").write_bytes(with_amount(content, 2.5, 3.5))
    converted = convert_file("aws_cur2", tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert sum(group.total_cost for group in converted.groups) == Decimal("12.5")


def test_a_parquet_that_states_more_rows_than_it_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    content = cur2_parquet(path)
    metadata = parquet.read_metadata(path)
    assert metadata.num_rows == 3
    # The file's own count stands behind the schema, and again, per row group, at the end of the footer.
    start = content.index(b"\x16\x06\x19", len(content) - 8 - int.from_bytes(content[-8:-4], "little"))
    assert "do not add up" in refused(path, content[: start + 1] + b"\x08" + content[start + 2 :])


def test_a_parquet_whose_column_has_two_names_is_refused(tmp_path: Path) -> None:
    # Found here by the sweep: a changed letter in the footer made an optional column one that nobody reads.
    content = cur2_parquet(tmp_path / "in.parquet")
    start = content.index(b"resource_tags", len(content) - 8 - int.from_bytes(content[-8:-4], "little"))
    reason = refused(tmp_path / "in.parquet", content[:start] + b"R" + content[start + 1 :])
    assert "a column is called Resource_tags and resource_tags" in reason


def test_a_decimal_with_two_scales_is_refused(tmp_path: Path) -> None:
    """A flipped bit in the footer would move the point: scale and precision stand there twice."""
    path = tmp_path / "in.parquet"
    rows = [{**cur2.PLAIN, "identity_line_item_id": str(index)} for index in range(3)]
    columns = {name: pa.array([row[name] for row in rows]) for name in cur2.PLAIN}
    columns["line_item_unblended_cost"] = pa.array([Decimal("1.25")] * 3, pa.decimal128(16, 8))
    parquet.write_table(pa.table(columns), path, store_schema=False)
    assert convert_file("aws_cur2", path, path.with_name("out.parquet")).row_count == 3
    content = path.read_bytes()
    # Converted type DECIMAL (5), scale 8, precision 16, and the logical type's scale and precision: zigzag varints.
    start = content.index(b"%\x0a\x15\x10\x15\x20,\\\x15\x10\x15\x20")
    for scale in (start + 3, start + 9):
        assert "two scales" in refused(path, content[:scale] + b"\x0e" + content[scale + 1 :])


def test_texts_that_are_not_marked_as_text_are_text(tmp_path: Path) -> None:
    # Found here by the sweep: without the mark, which older writers leave out, every text became "b'text'".
    path = tmp_path / "in.parquet"
    columns = {name: pa.array([text.encode()], pa.binary()) for name, text in cur2.PLAIN.items()}
    parquet.write_table(pa.table(columns), path)
    [row] = pl.read_parquet(convert_file("aws_cur2", path, tmp_path / "out.parquet").path).to_dicts()
    assert (row["sub_account_name"], row["x_usage_type"]) == ("production", "EU-Requests")
    columns["line_item_usage_account_name"] = pa.array([b"\xff"], pa.binary())
    parquet.write_table(pa.table(columns), path)
    assert "UTF" in refused(path, path.read_bytes())


@pytest.mark.parametrize("size", [10, 1_000])
def test_parquet_files_of_other_writers_are_taken(size: int, tmp_path: Path) -> None:
    """Statistics are compared, never demanded: none, partial ones, and long texts that were cut."""
    rows = [{**cur2.PLAIN, "identity_line_item_id": f"{index}" + "x" * 200} for index in range(size)]
    frame = pl.DataFrame(rows).with_columns(pl.col("line_item_unblended_cost").cast(pl.Float64))
    path = tmp_path / "in.parquet"
    for statistics in (True, False, "full"):
        frame.write_parquet(path, statistics=statistics, row_group_size=max(1, size // 3))
        assert convert_file("aws_cur2", path, tmp_path / "out.parquet").row_count == size
