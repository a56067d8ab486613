"""Explained charges as trees for the terminal."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.explaining.knowledge import instant_text
from billing_pipeline.explaining.model import Attribution, ChargeExplanation, ReferenceRow, VendorFile
from billing_pipeline.explaining.row_ranges import ranges_text

# Runs of row numbers written out in one line; JSON has them all.
RANGES_SHOWN = 40


def branch(tree: Tree, text: str, style: str = "") -> Tree:
    """Add a line to a tree, as it is: brackets in it are no markup."""
    return tree.add(Text(text, style=style, overflow="fold"))


def charge_tree(charge: ChargeExplanation, all_ranges: bool, title: str = "", billed_on: Sequence[str] = ()) -> Tree:
    """Return everything about one charge.

    Args:
        all_ranges: whether every run of row numbers is written out.
        title: words before the charge's own name.
        billed_on: lines of documents that hold it.
    """
    item = charge.item
    tree = Tree(Text(f"{title}{charge_title(charge)}", style="bold", overflow="fold"))
    _add_facts(tree, charge, billed_on)
    _add_price(tree, charge)
    _add_cost(tree, charge)
    _add_attribution(tree, "customer", charge.customer)
    _add_attribution(tree, "product", charge.product)
    _add_delivery(tree, charge)
    _add_rows(tree, charge, all_ranges)
    for note in charge.notes:
        branch(tree, f"note: {note}")
    for problem in charge.problems:
        branch(tree, f"PROBLEM: {problem}", "bold red")
    if charge.credited is not None:
        credited = charge_tree(charge.credited, all_ranges, "the credited line, whose terms are frozen: ")
        tree.add(credited)
    elif item["credited_line_item_id"] is not None:
        branch(tree, f"it credits {item['credited_line_item_id']}")
    return tree


def charge_title(charge: ChargeExplanation) -> str:
    """Name a charge as people do: its product, its day or invoice line, its amount."""
    item = charge.item
    if item["line_number"] is not None:
        where = f"invoice {item['invoice_number']} line {item['line_number']} of {item['invoice_date']}"
        where += f" for {item['customer_id'] or item['sub_account_id']}"
    else:
        where = f"{item['period_start']}, account {item['sub_account_id'] or '(none)'}"
    return f"{item['product_name'] or item['product_id']}, {where}: {_price(item)}"


def _price(item: Any) -> str:
    return "no price" if item["total_sell"] is None else amount(item["total_sell"], item["currency"])


def amount(value: Decimal | None, currency: str) -> str:
    """Write an exact amount with its currency."""
    return "none" if value is None else f"{plain_decimal(value)} {currency}"


def _add_facts(tree: Tree, charge: ChargeExplanation, billed_on: Sequence[str]) -> None:
    item = charge.item
    branch(tree, f"charge {item['charge_id']}, line item {item['line_item_id']}")
    if item["description"] not in (None, item["product_name"]):
        branch(tree, str(item["description"]))
    on = f", on {', '.join(billed_on)}" if billed_on else ""
    if item["bucket"] == "billed":
        branch(tree, f"billed to customer {item['customer_id']}{on}")
    else:
        reason = f": {item['reason']}" if item["reason"] else ""
        branch(tree, f"{'' if on else 'not billed, '}bucket {item['bucket']}{on}{reason}", "bold")


def _add_price(tree: Tree, charge: ChargeExplanation) -> None:
    item = charge.item
    price = branch(tree, _price(item) if item["total_sell"] is None else f"price {_price(item)}", "bold")
    for step in charge.arithmetic.steps:
        branch(price, step)
    for term in charge.terms:
        add_reference_row(price, f"{term.name}: {term.says}", term)
    if item["tier_quantity"] is not None:
        tier = f"{plain_decimal(item['tier_quantity'])} {item['unit'] or ''}".rstrip()
        branch(price, f"the tier is chosen by a quantity of {tier}")
    if charge.pricebook is not None:
        _add_attribution(price, "", charge.pricebook)
    for adjustment in charge.adjustments:
        add_reference_row(price, f"{adjustment.name}: {adjustment.says}", adjustment)
    if charge.terms or item["bucket"] == "unpriced":
        branch(price, f"terms of {charge.moment.term_day}: {charge.moment.day_reason}")
    if item["bucket"] == "marketplace_fee":
        branch(price, "a marketplace fee passes through at cost, on invoices that include marketplace fees")


def _add_cost(tree: Tree, charge: ChargeExplanation) -> None:
    item = charge.item
    texts = [f"cost {amount(item['total_cost'], item['currency'])}"]
    if item["unit_cost"] is not None:
        texts.append(f"unit cost {plain_decimal(item['unit_cost'])}")
    if item["total_list"] is not None:
        texts.append(f"SRP (list cost) {amount(item['total_list'], item['currency'])}")
    if item["quantity"] is not None:
        texts.append(f"quantity {plain_decimal(item['quantity'])} {item['unit'] or ''}".rstrip())
    if item["margin"] is not None:
        texts.append(f"margin {amount(item['margin'], item['currency'])}")
    cost = branch(tree, ", ".join(texts))
    if charge.price_list is not None:
        add_reference_row(cost, f"{charge.price_list.name}: {charge.price_list.says}", charge.price_list)


def _add_attribution(tree: Tree, what: str, attribution: Attribution) -> None:
    text = f"{what}: {attribution.says}" if what else attribution.says
    if attribution.row is None:
        branch(tree, text)
    else:
        add_reference_row(tree, text, attribution.row)


def add_reference_row(tree: Tree, title: str, row: ReferenceRow) -> None:
    """Add what a reference row says, and below it where it is written and why it counts."""
    node = branch(tree, title)
    branch(node, f"reference/{row.file}.csv row {row.row_number}{_kept_in(row.kept_as)}")
    branch(node, f"SHA-256 {row.sha256 or '(unknown)'}")
    branch(node, row.knowledge)


def _add_delivery(tree: Tree, charge: ChargeExplanation) -> None:
    delivery = charge.delivery
    if delivery is None:
        branch(tree, f"delivery {charge.item['delivery_id']}")
        return
    node = branch(tree, f"delivery {delivery.delivery_id}")
    final = "final" if delivery.is_final else "not final: the vendor still estimates"
    current = "" if delivery.is_current else ", replaced by a later one"
    arrived = f"arrived {instant_text(delivery.received_at)}, landed here {instant_text(delivery.seen_at)}"
    branch(node, f"source {delivery.source} ({delivery.format}), {final}{current}, {arrived}")


def _add_rows(tree: Tree, charge: ChargeExplanation, all_ranges: bool) -> None:
    item = charge.item
    count = sum(file.row_count for file in charge.files)
    cost = sum((file.billed_cost for file in charge.files), Decimal(0))
    agrees = ": the charge's cost" if cost == item["total_cost"] else ""
    plural = "" if count == 1 else "s"
    node = branch(tree, f"{count:,} vendor row{plural}, {amount(cost, item['currency'])}{agrees}", "bold")
    for file in charge.files:
        add_file(node, file, all_ranges)
    if charge.rows:
        node.add(_row_table(charge.rows))
        left = count - len(charge.rows)
        if left > 0:
            branch(node, f"{left:,} more rows: --all shows them")


def add_file(tree: Tree, file: VendorFile, all_ranges: bool, title: str = "file") -> None:
    """Add a vendor's file with its hash, its place in the archive and the row numbers."""
    node = branch(tree, f"{title} {file.name}")
    branch(node, f"SHA-256 {file.sha256}{_kept_in(file.kept_as)}")
    ranges = ranges_text(file.row_ranges, None if all_ranges else RANGES_SHOWN)
    branch(node, f"row{'' if file.row_count == 1 else 's'} {ranges}")


def _kept_in(kept_as: str | None) -> str:
    """Say in which folder a version is; in it a file is named by its SHA-256."""
    return ", missing from the archive" if kept_as is None else f", kept in {kept_as.rpartition('/')[0]}"


def _row_table(rows: Sequence[Any]) -> Table:
    has_keys = any("row_key" in row for row in rows)
    has_files = len({row["file_name"] for row in rows}) > 1
    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    table.add_column("row", justify="right", no_wrap=True)
    if has_files:
        table.add_column("file", overflow="fold")
    table.add_column("type", overflow="fold")
    if has_keys:
        table.add_column("the vendor's key", overflow="fold")
    table.add_column("description", overflow="fold", ratio=1)
    table.add_column("quantity", justify="right", no_wrap=True)
    table.add_column("cost", justify="right", no_wrap=True)
    for row in rows:
        cells = [str(row["row_number"])]
        if has_files:
            cells.append(row["file_name"].rpartition("/")[2])
        cells.append(row.get("line_item_type", ""))
        if has_keys:
            cells.append(row.get("row_key", ""))
        quantity = plain_decimal(row["quantity"]) if "quantity" in row else ""
        cells += [row.get("description", row.get("usage_type", "")), quantity, plain_decimal(row["billed_cost"])]
        table.add_row(*(Text(cell) for cell in cells))
    return table
