"""Charges with everything that stands behind them: the term, the customer, the delivery, the vendor's rows.

What does not belong here: which charges an id names (`resources.explained_ids`), lines of documents
(`resources.explanations`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from billing_pipeline.explaining.arithmetic import Arithmetic, Step, price_arithmetic
from billing_pipeline.explaining.credits import credit_steps
from billing_pipeline.explaining.knowledge import Moment
from billing_pipeline.explaining.model import ChargeExplanation, Delivery, ReferenceRow, VendorFile
from billing_pipeline.explaining.moments import item_moment, usage_moment
from billing_pipeline.explaining.notes import charge_notes, charge_problems
from billing_pipeline.explaining.row_ranges import row_ranges
from billing_pipeline.explaining.tiers import graduated_steps, package_steps
from billing_pipeline.queries import load_sql
from billing_pipeline.schemas.priced_line_items import PRICED_LINE_ITEMS
from resources.archive import Archive
from resources.charge_rows import charge_files
from resources.explained_terms import KnownRows
from resources.lake import Lake
from resources.relations import read_partitions, register_frames

Item = Mapping[str, Any]

# Methods of usage that count the customer's quantity of the whole month.
_BY_MONTH = ("graduated", "package")

# What the charge of a row says already.
_OF_CHARGE = ("charge_id", "delivery_id", "sku_id", "service_name", "service_category")

# What leads from a charge to its vendor rows.
_ORIGIN = (
    "charge_id", "delivery_id", "sub_account_id", "period_start", "charge_nature", "charge_category", "unit",
    "currency", "line_number",
)  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """What was read for some charges, by charge_id.

    Attributes:
        common: what all vendor rows of a charge say (`sql/explaining/first_rows.sql`).
        before: quantities of the month before a charge, where its price has tiers.
        deliveries: by delivery_id.
    """

    items: Mapping[str, Item]
    files: Mapping[str, tuple[VendorFile, ...]]
    common: Mapping[str, Item]
    rows: Mapping[str, tuple[Item, ...]]
    before: Mapping[str, Decimal]
    deliveries: Mapping[str, Delivery]


class ChargeReader:
    """Explains priced charges.

    Args:
        connection: session with the macros, and with `delivery_facts` and `known_deliveries` of the whole lake.
        lake: where charges and vendor rows are.
        archive: where the vendors' files are kept.
        known: rows of the reference files.
        zone: the organisation's zone, whose day an order or an invoice belongs to.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, lake: Lake, archive: Archive, known: KnownRows, zone: ZoneInfo
    ) -> None:
        self.connection = connection
        self.lake = lake
        self.archive = archive
        self.known = known
        self.zone = zone

    def explain(self, items: Sequence[Item], rows_of_each: int | None) -> tuple[ChargeExplanation, ...]:
        """Explain charges, in their order.

        Args:
            items: rows of priced_line_items.
            rows_of_each: vendor rows that are read of a charge; None for all.
        """
        evidence = self._read(items, rows_of_each)
        return tuple(self._explain(item, evidence) for item in items)

    def items(
        self, condition: str, parameters: Mapping[str, object], partitions: Sequence[str] | None
    ) -> Sequence[Item]:
        """Return rows of priced_line_items in the order in which people read charges.

        Args:
            condition: SQL over the columns; `wanted_ids` may be used if the session has it.
            partitions: days of arrival; None for all.
        """
        read_partitions(self.connection, "explained_items", PRICED_LINE_ITEMS, self.lake, partitions)
        query = (
            f"select * from explained_items where {condition} order by delivery_id, try_cast(line_number as bigint),"
            " line_number, period_start, sub_account_id, product_id, charge_id"
        )
        return _dicts(self.connection, query, parameters)

    def _read(self, items: Sequence[Item], rows_of_each: int | None) -> Evidence:
        debits = [item["credited_line_item_id"] for item in items if item["credited_line_item_id"] is not None]
        credited = self.items("list_contains($ids, line_item_id)", {"ids": debits}, None) if debits else []
        by_id = {item["charge_id"]: item for item in (*items, *credited)}
        self._name_explained(list(by_id.values()))
        files: dict[str, list[VendorFile]] = defaultdict(list)
        for row in charge_files(self.connection, self.lake, "explained_charges").iter_rows(named=True):
            files[row["charge_id"]].append(self._vendor_file(row))
        rows: dict[str, list[Item]] = defaultdict(list)
        for row in self._rows(rows_of_each):
            rows[row["charge_id"]].append(
                {name: cell for name, cell in row.items() if cell is not None and name not in _OF_CHARGE}
            )
        common = {row["charge_id"]: row for row in _dicts(self.connection, load_sql("explaining/first_rows"))}
        return Evidence(
            items={item["line_item_id"]: item for item in by_id.values()},
            files={charge_id: tuple(found) for charge_id, found in files.items()},
            common=common,
            rows={charge_id: tuple(found) for charge_id, found in rows.items()},
            before=self._quantities_before(list(by_id.values())),
            deliveries=self._deliveries(),
        )

    def _name_explained(self, items: Sequence[Item]) -> None:
        columns = [column for column in PRICED_LINE_ITEMS.columns if column.name in _ORIGIN]
        frame = pl.DataFrame(
            [[item[column.name] for column in columns] for item in items],
            schema={column.name: column.polars_type for column in columns},
            orient="row",
        )
        register_frames(self.connection, [("explained_charges", frame)])

    def _rows(self, of_each: int | None) -> list[dict[str, Any]]:
        limit = "" if of_each is None else f"where place <= {of_each}"
        return _dicts(
            self.connection,
            "select * exclude (place) from (select *, row_number() over"
            " (partition by charge_id order by file_name, row_number) as place from charge_rows)"
            f" {limit} order by charge_id, file_name, row_number",
        )

    def _vendor_file(self, row: Item) -> VendorFile:
        path = self.archive.path(row["file_sha256"])
        kept = path.relative_to(self.archive.root.parent).as_posix() if path.exists() else None
        ranges = row_ranges(row["row_numbers"])
        return VendorFile(row["file_name"], row["file_sha256"], kept, row["row_count"], row["billed_cost"], ranges)

    def _quantities_before(self, items: Sequence[Item]) -> dict[str, Decimal]:
        tiered = [
            item for item in items if item["price_method"] in ("graduated", "package") and not item["line_number"]
        ]
        if not tiered:
            return {}
        read_partitions(self.connection, "explained_items", PRICED_LINE_ITEMS, self.lake, None)
        self.connection.execute(
            "create or replace temp view delivery_items as select * from explained_items"
            " where delivery_id in (select delivery_id from explained_charges)"
        )
        found = self.connection.execute(load_sql("explaining/quantities_before")).fetchall()
        return dict(found)

    def _deliveries(self) -> dict[str, Delivery]:
        found = _dicts(
            self.connection,
            "select distinct facts.delivery_id, facts.source, facts.format, known.received_at, facts.seen_at,"
            " facts.is_final, known.is_current from delivery_facts as facts inner join known_deliveries as known"
            " on facts.delivery_id = known.delivery_id"
            " where facts.delivery_id in (select delivery_id from explained_charges)",
        )
        return {row["delivery_id"]: Delivery(**row) for row in found}

    def _explain(self, item: Item, evidence: Evidence, depth: int = 1) -> ChargeExplanation:
        charge_id = item["charge_id"]
        delivery, common = evidence.deliveries.get(item["delivery_id"]), evidence.common.get(charge_id, {})
        files = evidence.files.get(charge_id, ())
        moment = self._moment(item, common, delivery)
        customer, customer_problem = self.known.customer(item, moment)
        debit = evidence.items.get(item["credited_line_item_id"] or "")
        credited = self._explain(debit, evidence, depth - 1) if debit is not None and depth else None
        terms: tuple[ReferenceRow, ...] = ()
        term_problem = None
        # The terms of a credit are those of the line it credits.
        if item["charge_type"] != "Credit" or item["line_number"] is None:
            terms, term_problem = self.known.terms(item, moment)
        arithmetic, terms = self._arithmetic(item, debit, terms, evidence)
        price_list = self.known.price_list(item, moment)
        problems = [customer_problem, term_problem, arithmetic.problem, *charge_problems(item, files)]
        return ChargeExplanation(
            item=item,
            arithmetic=arithmetic,
            moment=moment,
            terms=terms,
            adjustments=self.known.adjustments(item, moment, terms),
            customer=customer,
            product=self.known.product(item, common.get("vendor_product_id"), moment),
            pricebook=self.known.pricebook(item, moment),
            price_list=price_list,
            delivery=delivery,
            files=files,
            rows=evidence.rows.get(charge_id, ()),
            notes=charge_notes(item, delivery, price_list),
            credited=credited,
            problems=tuple(problem for problem in problems if problem is not None),
        )

    def _moment(self, item: Item, common: Item, delivery: Delivery | None) -> Moment:
        seen_at: datetime = delivery.seen_at if delivery is not None else item["received_at"]
        if item["line_number"] is None:
            return usage_moment(item, seen_at)
        return item_moment(item, common, seen_at, self.zone)

    def _arithmetic(
        self, item: Item, debit: Item | None, terms: tuple[ReferenceRow, ...], evidence: Evidence
    ) -> tuple[Arithmetic, tuple[ReferenceRow, ...]]:
        """Return the arithmetic, and of the terms those it uses."""
        steps: tuple[Step, ...] = ()
        if item["total_sell"] is None or item["quantity"] is None:
            return price_arithmetic(item), terms
        if debit is not None:
            return price_arithmetic(item, credit_steps(item, debit)), terms
        before = evidence.before.get(item["charge_id"], Decimal(0))
        after = before + item["quantity"]
        if item["price_method"] == "graduated" and terms:
            found = graduated_steps([term.cells for term in terms], before, after, item["unit"] or "")
            if found is not None:
                steps, terms = found.steps, tuple(terms[place] for place in found.used)
        elif item["price_method"] == "package" and terms:
            steps = package_steps(terms[0].cells, before, after)
        return price_arithmetic(item, steps), terms


def _dicts(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    cursor = connection.execute(query, dict(parameters or {}))
    names = [str(column[0]) for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
