"""What an invoice says, whichever file says it: each cell counts, the file and the order of its items do not."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.vendor_files import INVOICE, convert_file, csv_text

FULL = {
    **INVOICE,
    "credits_invoice_number": "N0",
    "installment_number": "1",
    "installment_count": "12",
    "order_id": "O-1",
    "ordered_at": "2026-10-01T08:00:00Z",
    "credits_line_number": "7",
}
OTHER = {
    "issued_at": "2026-10-05T10:00:01+02:00", "type": "credit", "status": "pending", "invoice_date": "2026-10-06",
    "order_channel": "distributor_bss", "origin": "manual", "currency": "USD", "net_total": "20", "tax_total": "1",
    "pay_per_use": "true", "installment_number": "2", "installment_count": "13", "start_date": "2026-10-06",
    "end_date": "2026-11-06", "quantity": "2.0", "list_price": "12.51", "unit_cost": "10.000",
    "ordered_at": "2026-10-01T08:00:01Z",
}  # fmt: skip
# Written otherwise, they say the same.
SAME_AMOUNT = {"net_total", "quantity", "unit_cost"}


def contents(folder: Path, *rows: Mapping[str, str], name: str = "in.csv") -> dict[str, str | None]:
    """Hash by invoice number."""
    path = folder / name
    path.write_text(csv_text("distributor_invoice", *({**FULL, **row} for row in rows)))
    found = convert_file("distributor_invoice", path, folder / f"{name}.parquet")
    return {group.billing_account_id: group.content_sha256 for group in found.groups}


@pytest.mark.parametrize("column", list(INVOICE))
def test_every_cell_of_an_invoice_counts(column: str, tmp_path: Path) -> None:
    [before] = contents(tmp_path, {}).values()
    [after] = contents(tmp_path, {column: OTHER.get(column, f"{FULL[column]}x")}).values()
    assert before is not None
    assert (before == after) == (column in SAME_AMOUNT)


def test_neither_the_file_nor_the_order_of_items_counts(tmp_path: Path) -> None:
    items = [{"line_number": "1", "net_total": "40"}, {"line_number": "2", "net_total": "40"}]
    other = {"invoice_number": "N2", "line_number": "1"}
    one = contents(tmp_path, *items)
    assert contents(tmp_path, other, *reversed(items), name="other.csv")["N1"] == one["N1"]


def test_a_missing_item_counts(tmp_path: Path) -> None:
    free = {"line_number": "2", "unit_cost": "0"}
    assert contents(tmp_path, {}, free) != contents(tmp_path, {})


def test_texts_that_run_together_are_told_apart(tmp_path: Path) -> None:
    one = contents(tmp_path, {"customer_name": 'a","b', "product_id": "c"})
    two = contents(tmp_path, {"customer_name": "a", "product_id": 'b","c'})
    assert one != two


def test_other_formats_have_no_such_content(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(csv_text("focus", {}))
    [group] = convert_file("focus", path, tmp_path / "out.parquet").groups
    assert group.content_sha256 is None
