"""Reference rows that had a say in a charge, found among all versions of the reference files ever in force.

What does not belong here: the rule by which a version is chosen (`billing_pipeline.explaining.knowledge`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from billing_pipeline.explaining.knowledge import Chosen, Moment, Row, choose_row, knowledge_sentence, usable_rows
from billing_pipeline.explaining.model import Attribution, ReferenceRow
from billing_pipeline.explaining.reference_rows import ROW_NAMES, TERM_FILES, row_name, row_says
from billing_pipeline.explaining.tiers import holds_quantity
from billing_pipeline.schemas.reference_file import SOURCE_ROW, SOURCE_SHA256, WITHDRAWN_AT
from resources.reference_journal import ReferenceJournal

# What the history adds to a row; the file itself does not say it.
_OF_HISTORY = (SOURCE_ROW, SOURCE_SHA256, WITHDRAWN_AT)

Item = Mapping[str, Any]


class KnownRows:
    """The rows of every version of the reference files.

    Args:
        home: the workspace.
        known: by file name, the file's columns, `recorded_at`, `withdrawn_at`, `source_sha256`, `source_row`.
    """

    def __init__(self, home: Path, known: Mapping[str, pl.DataFrame]) -> None:
        self.home = home
        self.journal = ReferenceJournal(home)
        self.known = known
        # A line has thousands of charges and a handful of terms.
        self._found: Callable[..., tuple[Row, ...]] = cache(self._find)
        self._kept: Callable[[str, str | None], str | None] = cache(self._kept_as)

    def rows(self, file: str, **cells: str) -> tuple[Row, ...]:
        """Return the rows of a file with these cells, of all versions."""
        return self._found(file, tuple(sorted(cells.items())))

    def _find(self, file: str, cells: tuple[tuple[str, str], ...]) -> tuple[Row, ...]:
        frame = self.known[file]
        for name, value in cells:
            frame = frame.filter(pl.col(name) == value)
        return tuple(frame.to_dicts())

    def reference_row(self, file: str, chosen: Chosen, moment: Moment) -> ReferenceRow:
        """Return a chosen row with what it says, where it is kept and why it counts."""
        row = chosen.row
        return ReferenceRow(
            name=row_name(file, row),
            file=file,
            sha256=row[SOURCE_SHA256],
            kept_as=self._kept(file, row[SOURCE_SHA256]),
            row_number=row[SOURCE_ROW],
            says=row_says(file, row),
            recorded_at=row["recorded_at"],
            withdrawn_at=row[WITHDRAWN_AT],
            how=chosen.how,
            knowledge=knowledge_sentence(chosen, moment),
            cells={name: cell for name, cell in row.items() if cell is not None and name not in _OF_HISTORY},
        )

    def _kept_as(self, file: str, sha256: str | None) -> str | None:
        if sha256 is None:
            return None
        path = self.journal.path(f"reference/{file}.csv", sha256)
        return path.relative_to(self.home).as_posix() if path.exists() else None

    def customer(self, item: Item, moment: Moment) -> tuple[Attribution, str | None]:
        """Say whose charge it is, and by which row; and what does not agree."""
        source, account, customer_id = item["source"], item["sub_account_id"], item["customer_id"]
        if account is None:
            return Attribution("the vendor names no account"), None
        chosen = choose_row(self.rows("accounts", source=source, account_id=account), moment)
        named = choose_row(self.rows("customers", customer_id=account), moment) if item["line_number"] else None
        # A mapping recorded later takes no item from the customer it names.
        if named is not None and chosen is not None and (named.how, chosen.how) == ("known", "fills_gap"):
            chosen = None
        if chosen is not None:
            row = self.reference_row("accounts", chosen, moment)
            problem = None
            if chosen.row["customer_id"] != customer_id:
                problem = f"accounts.csv gives account {account} to {chosen.row['customer_id']}, not to {customer_id}"
            return Attribution(row.says, row), problem
        if named is not None and customer_id == account:
            row = self.reference_row("customers", named, moment)
            return Attribution(f"the distributor's file names customer {account} itself", row), None
        says = f"no row of accounts.csv gives account {account} of source {source} to a customer"
        if customer_id is None:
            return Attribution(says), None
        return Attribution(says), f"{says}, and the charge is {customer_id}'s"

    def product(self, item: Item, vendor_product: str | None, moment: Moment) -> Attribution:
        """Say which product a charge is, and by which row."""
        if vendor_product is None:
            return Attribution(f"product {item['product_id']}")
        matches = [
            *usable_rows(self.rows("products", source=item["source"], sku=vendor_product), moment),
            *usable_rows(self.rows("products", product_id=vendor_product), moment),
        ]
        chosen = next((match for match in matches if match.row["product_id"] == item["product_id"]), None)
        if chosen is None:
            return Attribution(f"no row of products.csv names {vendor_product}: the vendor's own name is used")
        row = self.reference_row("products", chosen, moment)
        return Attribution(row.says, row)

    def terms(self, item: Item, moment: Moment) -> tuple[tuple[ReferenceRow, ...], str | None]:
        """Return the rows of the term that set a price, the one that counts first; and what does not agree.

        One row, but for a graduated price: that has all its tiers.
        """
        file = TERM_FILES.get(item["price_term"] or "")
        if file is None or item["price_term_id"] is None:
            return (), None
        _, id_column = ROW_NAMES[file]
        named = {id_column: item["price_term_id"]}
        if item["price_scope"] is not None:
            named |= {"scope": item["price_scope"], "scope_id": item["price_scope_id"]}
        usable = usable_rows(self.rows(file, **named), moment)
        agreeing = [chosen for chosen in usable if _agrees(chosen.row, item)]
        if not agreeing and item["total_sell"] is None and item["tier_quantity"] is not None:
            # Beyond the last tier no row prices the charge: all of them together say why.
            agreeing = [chosen for chosen in usable if chosen.row["method"] == item["price_method"]]
            return tuple(self.reference_row(file, one, moment) for one in agreeing), None
        if not agreeing:
            reason = f"no version of {file}.csv that held then has {item['price_term_id']} as the charge was priced"
            return (), reason
        chosen = agreeing if item["price_method"] == "graduated" else agreeing[:1]
        return tuple(self.reference_row(file, one, moment) for one in chosen), None

    def pricebook(self, item: Item, moment: Moment) -> Attribution | None:
        """Say why a pricebook is the customer's, or None for a price of no pricebook."""
        if item["price_term"] != "pricebook":
            return None
        accounts = self.rows("accounts", source=item["source"], account_id=item["sub_account_id"] or "")
        customers = self.rows("customers", customer_id=item["customer_id"])
        for file, rows in (("accounts", accounts), ("customers", customers)):
            # One that was assigned later may have filled the gap of one that was not.
            usable = (one for one in usable_rows(rows, moment) if one.row["pricebook_id"] == item["price_term_id"])
            chosen = next(usable, None)
            if chosen is not None:
                row = self.reference_row(file, chosen, moment)
                whose = f"account {item['sub_account_id']}" if file == "accounts" else f"customer {item['customer_id']}"
                return Attribution(f"pricebook {item['price_term_id']} is assigned to {whose}", row)
        return Attribution(f"pricebook {item['price_term_id']}")

    def adjustments(self, item: Item, moment: Moment, terms: Sequence[ReferenceRow]) -> tuple[ReferenceRow, ...]:
        """Return the global adjustments on a price: those known when the price came about."""
        if item["adjustment_ids"] is None:
            return ()
        at = moment
        if terms and terms[0].how == "fills_gap":
            at = replace(
                moment,
                known_at=max(terms[0].recorded_at, moment.seen_at),
                known_reason="when the price came about",
            )
        found = []
        for adjustment_id in item["adjustment_ids"].split(";"):
            chosen = choose_row(self.rows("global_adjustments", adjustment_id=adjustment_id), at)
            if chosen is not None:
                found.append(self.reference_row("global_adjustments", chosen, at))
        return tuple(found)

    def price_list(self, item: Item, moment: Moment) -> ReferenceRow | None:
        """Return the row of the distributor's price list that says what an item should cost."""
        if item["price_list_id"] is None:
            return None
        rows = self.rows("distributor_price_lists", price_list_id=item["price_list_id"], product_id=item["product_id"])
        usable = [
            chosen
            for chosen in usable_rows(rows, moment)
            if chosen.row["is_active"] is not False and item["quantity"] >= (chosen.row["from_quantity"] or Decimal(0))
        ]
        best = sorted(usable, key=lambda chosen: (chosen.how == "fills_gap", -(chosen.row["from_quantity"] or 0)))
        return self.reference_row("distributor_price_lists", best[0], moment) if best else None


def _agrees(row: Row, item: Item) -> bool:
    """Return whether a version of a term is the one whose numbers are frozen in the priced line."""
    if row["method"] != item["price_method"]:
        return False
    if item["price_method"] == "graduated":
        return True
    quantity = item["tier_quantity"]
    if quantity is not None and not holds_quantity(row, quantity):
        return False
    return bool(row["percent"] == item["price_percent"] and row.get("unit_price") == item["price_unit_price"])
