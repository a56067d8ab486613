"""Measure what pricing itself takes, at the grain and row by row, ours beside Polars doing the same work.

Usage: python bench/pricing.py --rows N [--only ENGINE:STEP]

The workspace is that of bench/invoices.py. Steps: `sum` adds the AWS report's rows up to the charge grain; `grain`
finds customers and terms and prices the charges, whose sums are not counted, nor their sorting for the file; `rows`
prices every row by itself instead. Both end in totals per customer and product, which must be equal to the last digit,
whoever made them. Polars does what the sample needs and no more: accounts by date, special prices and rules by their
order, markups and shares of list cost; ours is the pipeline's SQL, with keys, buckets, reasons and every frozen term.
"""

import argparse
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring.usage import Clock, Usage, measure_child, report
from measuring.workspaces import workspace_folder

if TYPE_CHECKING:
    import polars as pl

    from resources.workspace import Workspace

STEPS = ("sum", "grain", "rows")
ENGINES = ("ours", "polars")
# Of the design, for 10 million rows, in CPU seconds.
TARGETS = {"sum": 5.0, "grain": 1.0, "rows": 6.0}
Totals = dict[tuple[str, str], Decimal]


def run_ours(workspace: "Workspace", step: str) -> tuple[Usage, Totals]:
    """Run one step as the pipeline does: over the day on which the AWS report arrived."""
    import duckdb  # noqa: PLC0415

    from billing_pipeline.pricing import PRICED, price_charges  # noqa: PLC0415
    from billing_pipeline.queries import load_sql  # noqa: PLC0415
    from resources import relations  # noqa: PLC0415
    from resources.lake import Lake  # noqa: PLC0415
    from resources.reference_files import load_reference, reference_frames  # noqa: PLC0415
    from resources.session import duckdb_session  # noqa: PLC0415

    organisation, lake = workspace.load_config().organisation, Lake(workspace.lake)
    totals = (
        f"select customer_id, product_id, cast(sum(total_sell) as decimal(38, 24)) from {PRICED}"
        " where charge_nature = 'usage' and customer_id is not null group by customer_id, product_id"
    )
    day = lake.partitions("deliveries")[-1]
    with duckdb_session(temp_directory=_temporary(workspace)) as connection:
        relations.register_frames(connection, reference_frames(load_reference(workspace.home, organisation.zone)))
        relations.read_deliveries(connection, lake, [day])
        relations.read_vendor_rows(connection, lake)
        relations.read_earlier_items(connection, lake, day)
        if step == "sum":
            clock = Clock()
            connection.execute("set threads = 1")
            connection.execute(f"create temp table sums as {load_sql('pricing/usage_sums')}")
            return clock.stop(), {}
        traced: Any = _SumsApart(connection)
        clock = Clock()
        price_charges(traced, organisation.time_zone)
        if step == "rows":
            # The terms are found; now every row is a charge.
            connection.execute(f"create or replace temp view usage_sums as {_ROWS_AS_SUMS}")
            clock = Clock()
        found = {(row[0], row[1]): row[2] for row in connection.execute(totals).fetchall()}
        usage = clock.stop()
        usage.cpu -= traced.apart.cpu if step == "grain" else 0.0
        usage.wall -= traced.apart.wall if step == "grain" else 0.0
        assert isinstance(connection, duckdb.DuckDBPyConnection)
        return usage, found


# The key of a charge is made when rows are summed; a row by itself needs none.
_ROWS_AS_SUMS = """
    select
        cast(null as varchar) as charge_id, delivery_id, sub_account_id, sku_id, service_name, service_category,
        cast(charge_period_start as date) as charge_day, charge_category, charge_class,
        x_charge_nature as charge_nature, pricing_unit as unit, billing_currency as currency, sub_account_name,
        charge_description as description, invoice_id as invoice_number, pricing_quantity as quantity,
        billed_cost as cost, list_cost, cast(1 as bigint) as row_count
    from usage_rows
"""


class _SumsApart:
    """Passes everything on to a connection and notes what summing to the grain takes, and sorting for the file."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.apart = Usage()

    def execute(self, query: str, *arguments: Any) -> Any:
        clock = Clock()
        done = self._connection.execute(query, *arguments)
        if any(f"table {name} as" in query for name in ("unordered_sums", "usage_kinds", "ordered_sums")):
            usage = clock.stop()
            self.apart.cpu, self.apart.wall = self.apart.cpu + usage.cpu, self.apart.wall + usage.wall
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def run_polars(workspace: "Workspace", step: str) -> tuple[Usage, Totals]:
    """Do the same with Polars alone, exactly: amounts are whole numbers of 10**-18, prices of 10**-24."""
    import polars as pl  # noqa: PLC0415

    days = sorted((workspace.lake / "vendor_charges").iterdir())
    rows = pl.scan_parquet(days[-1] / "*.parquet", hive_partitioning=False)
    if step == "sum":
        clock = Clock()
        _polars_sums(rows).collect(engine="streaming")
        return clock.stop(), {}
    charges = rows.with_columns(charge_day=pl.col("charge_period_start").dt.date())
    if step == "grain":
        charges = _polars_sums(rows).collect(engine="streaming").lazy()
    clock = Clock()
    totals = _polars_totals(workspace, charges).collect(engine="streaming")
    usage = clock.stop()
    scale = Decimal(1).scaleb(-24)
    return usage, {(row[0], row[1]): Decimal(row[2]) * scale for row in totals.iter_rows()}


_KEYS = (
    "delivery_id", "sub_account_id", "sku_id", "service_name", "service_category", "charge_day", "charge_category",
    "charge_class", "x_charge_nature", "pricing_unit", "billing_currency",
)  # fmt: skip


def _polars_sums(rows: "pl.LazyFrame") -> "pl.LazyFrame":
    import polars as pl  # noqa: PLC0415

    texts = ("sub_account_name", "charge_description", "invoice_id")
    amounts = ("pricing_quantity", "billed_cost", "list_cost")
    return (
        rows.with_columns(charge_day=pl.col("charge_period_start").dt.date())
        .group_by(_KEYS)
        .agg(
            *(pl.col(name).min() for name in texts),
            *(pl.col(name).sum() for name in amounts),
            *(pl.col(name).null_count().alias(f"{name}_missing") for name in amounts),
            pl.len().alias("row_count"),
        )
    )


def _polars_totals(workspace: "Workspace", charges: "pl.LazyFrame") -> "pl.LazyFrame":
    """Price charges, or rows, and add them up per customer and product."""
    import polars as pl  # noqa: PLC0415

    def reference(name: str, key: str, scope: str | None = None) -> "pl.LazyFrame":
        """Return a file's terms: multipliers in millionths of the cost (markup) or of the list cost (all others)."""
        found = pl.scan_csv(workspace.reference / f"{name}.csv", infer_schema=False)
        found = found.filter(pl.col("scope") == scope) if scope else found
        share = pl.col("percent").cast(pl.Decimal(12, 4)).fill_null(0).to_physical().cast(pl.Int128)
        is_markup, is_srp = pl.col("method") == "markup", pl.col("method") == "srp"
        whole = pl.when(is_markup | is_srp).then(pl.lit(1_000_000, pl.Int128)).otherwise(pl.lit(0, pl.Int128))
        return found.with_columns(
            pl.struct(multiplier=whole + share, is_markup=is_markup).alias(scope or name),
        ).select(*key.split(), scope or name)

    accounts = (
        pl.scan_csv(workspace.reference / "accounts.csv", infer_schema=False)
        .filter(pl.col("source") == "aws")
        .select("account_id", "customer_id", pl.col("valid_from").str.to_date(), pl.col("valid_to").str.to_date())
    )
    catalogue = (
        pl.scan_csv(workspace.reference / "products.csv", infer_schema=False)
        .filter(pl.col("source") == "aws")
        .select("sku", "product_id", "product_type")
    )
    amounts = (
        charges.filter(pl.col("x_charge_nature") == "usage")
        .select(
            "sub_account_id", "charge_day", "service_category",
            pl.coalesce("sku_id", "service_name").alias("sku"),
            pl.col("billed_cost").to_physical().alias("cost"),
            pl.col("list_cost").to_physical().alias("list"),
        )
        .join(accounts, left_on="sub_account_id", right_on="account_id")
        .filter(pl.col("charge_day") >= pl.col("valid_from"))
        .filter((pl.col("charge_day") < pl.col("valid_to")) | pl.col("valid_to").is_null())
    )  # fmt: skip
    terms = ("special_prices", "product", "product_type", "vendor")
    priced = (
        amounts.join(catalogue, on="sku", how="left")
        .with_columns(
            pl.coalesce("product_id", "sku"), pl.coalesce("product_type", "service_category").alias("type"),
            pl.lit("AWS").alias("of"),
        )
        .drop("product_type")
        .join(reference("special_prices", "customer_id product_id"), on=["customer_id", "product_id"], how="left")
        .join(reference("pricing_rules", "scope_id", "product"), left_on="product_id", right_on="scope_id", how="left")
        .join(reference("pricing_rules", "scope_id", "product_type"), left_on="type", right_on="scope_id", how="left")
        .join(reference("pricing_rules", "scope_id", "vendor"), left_on="of", right_on="scope_id", how="left")
        .with_columns(pl.coalesce(terms).alias("term"))
    )  # fmt: skip
    basis = pl.when(pl.col("term").struct.field("is_markup")).then("cost").otherwise("list")
    return (
        priced.with_columns(sell=basis * pl.col("term").struct.field("multiplier"))
        .group_by("customer_id", "product_id")
        .agg(pl.col("sell").sum())
    )


def run(engine: str, step: str, rows: int) -> Usage:
    """Run one step of one engine in this process; the totals' hash is among its facts."""
    import zlib  # noqa: PLC0415

    from resources.workspace import Workspace  # noqa: PLC0415

    workspace = Workspace.at(workspace_folder(rows))
    usage, totals = (run_ours if engine == "ours" else run_polars)(workspace, step)
    if totals:
        text = "\n".join(
            f"{key} {amount.normalize():f}" for key, amount in sorted(totals.items()) if amount is not None
        )
        usage.facts = {"totals": len(totals), "their checksum": zlib.crc32(text.encode())}
    return usage


def _temporary(workspace: "Workspace") -> Path:
    folder = workspace.home / ".duckdb"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> None:
    """Measure every step of both engines, each in its own process, and compare the totals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", help="one step, such as ours:grain")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        engine, step = arguments.stage.split(":")
        report(run(engine, step, arguments.rows))
        return
    # The workspace is made by a child: this process must stay small, or its children would seem large.
    measure_child(str(Path(__file__).with_name("invoices.py")), "--rows", str(arguments.rows), "--stage", "convert")
    print(f"{'step':16}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}  target CPU s")
    checksums = set()
    for name in [arguments.only] if arguments.only else [f"{engine}:{step}" for step in STEPS for engine in ENGINES]:
        usage = measure_child(str(Path(__file__)), "--rows", str(arguments.rows), "--stage", name)
        step = name.split(":")[1]
        target = f"{TARGETS[step] * arguments.rows / 10_000_000:.1f}" if name.startswith("ours") else ""
        print(
            f"{name:16}{usage.cpu:8.2f}{usage.wall:8.2f}{usage.peak_megabytes:9.0f}  {target:6}{usage.facts}",
            flush=True,
        )
        if usage.facts:
            checksums.add(usage.facts["their checksum"])
    if len(checksums) > 1:
        sys.exit("the totals differ")


if __name__ == "__main__":
    main()
