"""The charge to which a vendor's row belongs, as an expression over its canonical columns."""

from typing import Final

CHARGE_ID_OF_ROW: Final = """
        case
            when x_line_number is not null then item_charge_id(delivery_id, x_line_number)
            else usage_charge_id(
                delivery_id, sub_account_id, sku_id, service_name, service_category,
                cast(charge_period_start as date), charge_category, charge_class, x_charge_nature,
                pricing_unit, billing_currency
            )
        end"""
