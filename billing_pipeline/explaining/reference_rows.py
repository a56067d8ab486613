"""What a row of a reference file says, in words.

What does not belong here: finding the row (`explaining.knowledge`), its arithmetic (`explaining.arithmetic`).
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from billing_pipeline.documents.formatting import plain_decimal

Cells = Mapping[str, Any]

# Where the term that a priced line names is written, by price_term.
TERM_FILES: Mapping[str, str] = {
    "special_price": "special_prices",
    "pricebook": "pricebook_prices",
    "pricing_rule": "pricing_rules",
}


# What a row of each file is called, and the column of its id.
ROW_NAMES: Mapping[str, tuple[str, str]] = {
    "special_prices": ("special_price", "special_price_id"),
    "pricebook_prices": ("pricebook", "pricebook_id"),
    "pricing_rules": ("pricing_rule", "rule_id"),
    "global_adjustments": ("adjustment", "adjustment_id"),
    "distributor_price_lists": ("price list", "price_list_id"),
    "accounts": ("account", "account_id"),
    "customers": ("customer", "customer_id"),
    "products": ("product", "product_id"),
}


def row_name(file: str, cells: Cells) -> str:
    """Return kind and id of a row, such as `pricing_rule aws`."""
    kind, column = ROW_NAMES[file]
    return f"{kind} {cells[column]}"


def row_says(file: str, cells: Cells) -> str:
    """Return what a row says, with the days on which it holds.

    Args:
        file: name of the reference file, without `.csv`.
        cells: the row, typed, by column.
    """
    text = _TEXTS[file](cells)
    validity = validity_text(cells.get("valid_from"), cells.get("valid_to"))
    return f"{text}, {validity}" if validity else text


def validity_text(valid_from: date | None, valid_to: date | None) -> str:
    """Write the days on which a row holds; the bound `valid_to` is exclusive."""
    if valid_from is None and valid_to is None:
        return ""
    if valid_to is None:
        return f"valid from {valid_from} on"
    if valid_from is None:
        return f"valid before {valid_to}"
    return f"valid from {valid_from}, before {valid_to}"


def method_text(cells: Cells) -> str:
    """Write a method with its number: `markup 12.5 %`, `fixed price 9 EUR`, `graduated, 1 per unit from 0 to 10`."""
    method = cells["method"]
    number = _number(cells)
    names = {
        "markup": f"markup {number}",
        "srp": "the suggested retail price",
        "percent_of_srp": f"{number} of the suggested retail price",
        "srp_discount": f"{number} off the suggested retail price",
        "fixed": f"fixed price {number}",
        "percent_of_sell_price": f"list price less {number}",
        "percent_of_cost": f"distributor's cost plus {number}",
    }
    text = names.get(method, f"{method}, {number}")
    if cells.get("package_size") is not None:
        text += f" per package of {plain_decimal(cells['package_size'])}"
    return text + _tier(cells)


def _number(cells: Cells) -> str:
    percent, unit_price = cells.get("percent"), cells.get("unit_price")
    if unit_price is not None:
        return " ".join(word for word in (plain_decimal(unit_price), cells.get("currency")) if word)
    return "" if percent is None else f"{plain_decimal(percent)} %"


def _tier(cells: Cells) -> str:
    first, end = cells.get("from_quantity"), cells.get("to_quantity")
    if not first and end is None:
        return ""
    start = plain_decimal(first or Decimal(0))
    return (
        f" from a quantity of {start} on"
        if end is None
        else f" for a quantity from {start}, below {plain_decimal(end)}"
    )


def _scope(cells: Cells) -> str:
    scope = str(cells["scope"]).replace("_", " ")
    return "everything" if scope == "all" else f"{scope} {cells['scope_id']}"


_TEXTS: Mapping[str, Callable[[Cells], str]] = {
    "special_prices": lambda row: (
        f"{method_text(row)} for customer {row['customer_id']} and product {row['product_id']}"
    ),
    "pricing_rules": lambda row: f"{method_text(row)} for {_scope(row)}",
    "pricebook_prices": lambda row: f"{method_text(row)} for {_scope(row)}",
    "global_adjustments": lambda row: (
        f"{'uplift' if row['percent'] > 0 else 'discount'} of {plain_decimal(abs(row['percent']))} % on {_scope(row)}"
    ),
    "distributor_price_lists": lambda row: f"{method_text(row)} for product {row['product_id']}",
    "accounts": lambda row: f"account {row['account_id']} of source {row['source']} belongs to {row['customer_id']}",
    "customers": lambda row: f"customer {row['customer_id']} is {row['name']}",
    "products": lambda row: (
        f"sku {row['sku']} of source {row['source']} is product {row['product_id']}"
        if row.get("sku") is not None
        else f"product {row['product_id']} is {row['name']}"
    ),
}
