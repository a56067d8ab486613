"""Azure cost details are found by their header, however spelled, and other vendors' files are not taken for it."""

from pathlib import Path

import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.azure_costs import AZURE_COSTS
from billing_pipeline.vendors.header import match_header
from billing_pipeline.vendors.registry import recognise, require_format
from tests.vendor_files import convert_bytes
from tests.vendors.azure_costs.azure_files import EA, PARTNER, text_of


def test_the_documented_partner_header_is_recognised(shared_data: Path) -> None:
    header = (shared_data / "columns" / "azure_mpa_cost_details_2023_12_01.txt").read_text().split()

    assert recognise(header) is AZURE_COSTS
    positions = match_header(AZURE_COSTS, header, "f").positions
    # Only what the EA set has instead is absent.
    assert set(AZURE_COSTS.columns) - set(positions) == {"part_number", "plan_name"}


def test_the_real_ea_header_is_recognised_and_knows_neither_tenant_nor_invoice(shared_data: Path) -> None:
    with (shared_data / "azure" / "ea_export_sample.csv").open(encoding="utf-8-sig") as stream:
        header = stream.readline().strip().split(",")

    assert recognise(header) is AZURE_COSTS
    match = match_header(AZURE_COSTS, header, "f")
    assert not {"invoice_id", "customer_tenant_id", "product_id"} & set(match.positions)
    assert match.own_names["billing_currency"] == "BillingCurrencyCode"


@pytest.mark.parametrize("spell", [str.lower, str.upper, lambda name: name[0].upper() + name[1:]])
def test_every_spelling_of_the_header_gives_the_same_rows(spell: object, tmp_path: Path) -> None:
    text = text_of(PARTNER, {}, {"meterName": "Free"})
    header, _, rest = text.partition("\n")
    assert callable(spell)
    changed = ",".join(spell(name) for name in header.strip().split(","))

    plain = convert_bytes("azure_costs", tmp_path, text.encode())
    other = convert_bytes("azure_costs", tmp_path, b"\xef\xbb\xbf" + f"{changed}\n{rest}".encode())
    assert other.drop("delivery_id", "x_file_sha256").equals(plain.drop("delivery_id", "x_file_sha256"))


def test_the_older_names_of_cost_currency_and_product_are_known(tmp_path: Path) -> None:
    older = {"CostInBillingCurrency": "Cost", "BillingCurrencyCode": "Currency", "ProductName": "Product"}
    row = {older.get(name, name): value for name, value in EA.items()}

    (found,) = convert_bytes("azure_costs", tmp_path, text_of(row, {}).encode()).to_dicts()
    assert (found["billing_currency"], found["charge_description"]) == ("CAD", EA["ProductName"])


def test_missing_columns_are_named() -> None:
    header = [name for name in EA if name not in ("CostInBillingCurrency", "BillingAccountId")]

    with pytest.raises(BadInput, match="billing_account_id, cost_in_billing_currency"):
        match_header(require_format("azure_costs", header, "f"), header, "f")
