"""Items of distributor invoices become canonical rows: `sql/staging/distributor_invoice.sql`."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from tests.vendor_files import convert_file, csv_text, rows_of


def test_an_item_becomes_a_purchase_of_its_customer(tmp_path: Path) -> None:
    (row,) = rows_of("distributor_invoice", tmp_path, {})

    assert row["billing_account_id"] == row["invoice_id"] == "N1"
    assert (row["sub_account_id"], row["sub_account_name"]) == ("007", "Acme")
    assert (row["sku_id"], row["service_name"], row["service_category"]) == ("p1", "Product", "License")
    assert row["billing_period"] == "2026-10"
    assert row["charge_period_start"] == datetime(2026, 10, 5, tzinfo=UTC)
    assert row["charge_period_end"] == datetime(2026, 11, 5, tzinfo=UTC)
    assert row["billed_cost"] == Decimal(20)
    assert row["list_cost"] == Decimal(25)
    assert (row["x_unit_cost"], row["x_list_price"]) == (Decimal(10), Decimal("12.5"))
    assert row["x_issued_at"] == datetime(2026, 10, 5, 8, tzinfo=UTC)
    assert row["x_invoice_date"] == date(2026, 10, 5)
    assert row["x_is_pay_per_use"] is False
    assert row["x_charge_nature"] == "usage"
    assert row["x_row_key"] == "N1|1"


def test_a_credits_amounts_are_negative_and_its_unit_prices_stay(tmp_path: Path) -> None:
    (row,) = rows_of("distributor_invoice", tmp_path, {"type": "credit", "credits_invoice_number": "N0"})

    assert row["billed_cost"] == Decimal(-20)
    assert row["list_cost"] == Decimal(-25)
    assert row["x_net_total"] == Decimal(-20)
    assert row["x_unit_cost"] == Decimal(10)
    assert row["pricing_quantity"] == Decimal(2)


def test_without_list_price_and_dates_the_rest_still_stands(tmp_path: Path) -> None:
    (row,) = rows_of("distributor_invoice", tmp_path, {"list_price": "", "start_date": "", "end_date": ""})

    assert row["list_cost"] is None
    assert row["charge_period_start"] == datetime(2026, 10, 5, tzinfo=UTC)


def test_products_of_nine_decimals_are_exact(tmp_path: Path) -> None:
    quantity, unit_cost = "3.000000001", "0.123456789"
    total = Decimal(quantity) * Decimal(unit_cost)
    (row,) = rows_of(
        "distributor_invoice", tmp_path, {"quantity": quantity, "unit_cost": unit_cost, "net_total": str(total)}
    )

    assert row["billed_cost"] == total


def test_the_net_total_may_be_rounded_to_the_minor_unit(tmp_path: Path) -> None:
    change = {"quantity": "3", "unit_cost": "33.335", "net_total": "100.01"}

    assert len(rows_of("distributor_invoice", tmp_path, change)) == 1


def test_a_file_of_two_invoices_is_two_groups_with_their_totals(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    second = {"invoice_number": "N2", "net_total": "35", "tax_total": "7", "status": "pending", "issued_at": ""}
    path.write_text(
        csv_text(
            "distributor_invoice",
            {},
            second | {"quantity": "1", "unit_cost": "10"},
            second | {"quantity": "1", "unit_cost": "25", "line_number": "2"},
        )
    )

    first, other = convert_file("distributor_invoice", path, tmp_path / "out.parquet").groups

    assert (first.billing_account_id, first.net_total, first.invoice_status) == ("N1", Decimal(20), "issued")
    assert (other.billing_account_id, other.net_total, other.tax_total) == ("N2", Decimal(35), Decimal(7))
    assert (other.total_cost, other.row_count, other.invoice_status) == (Decimal(35), 2, "pending")
    assert other.invoice_ids == ("N2",)
