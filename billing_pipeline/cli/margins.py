"""`billing margins`: where money leaks, and what is earned on whom and on what."""

from typing import Final

from billing_pipeline.cli.output import money, show_table
from billing_pipeline.cli.reports import query_warehouse
from resources.workspace import Workspace

# The columns that make a row of the margins, by what is asked for.
MARGINS_BY: Final = {
    "customer": ("customer_id",),
    "product_type": ("product_type",),
    "both": ("customer_id", "product_type"),
}


def show_margins(workspace: Workspace, month: str, by: str | None, as_json: bool) -> None:
    """Print the margin leaks of a month, the largest first, and the margins; with `by` only the margins.

    Args:
        month: billing period `YYYY-MM`.
        by: one of `MARGINS_BY`; None for the leaks, and with them the margins per customer unless as JSON.
    """
    if by is None:
        _show_leaks(workspace, month, as_json)
    if by is not None or not as_json:
        _show_sums(workspace, month, MARGINS_BY[by or "customer"], as_json)


def _show_leaks(workspace: Workspace, month: str, as_json: bool) -> None:
    columns, rows = query_warehouse(
        workspace,
        "select kind, customer_id, source, amount, currency, detail from margin_leaks"
        " where billing_period = $1 order by amount desc, kind, customer_id, detail",
        [month],
    )
    show_table(f"Margin leaks of {month}", columns, rows, as_json)


def _show_sums(workspace: Workspace, month: str, keys: tuple[str, ...], as_json: bool) -> None:
    listed = ", ".join(keys)
    # Half away from zero to the minor unit is for people; programs get every digit.
    columns, rows = query_warehouse(
        workspace,
        f"select {listed}, sum(charge_count) as charges, sum(total_cost) as total_cost, sum(total_sell) as total_sell,"
        " sum(margin) as margin, cast(exact_ratio(sum(margin), sum(total_sell)) * 100 as decimal(38, 8))"
        f" as margin_percent, currency from margins where billing_period = $1 group by {listed}, currency"
        f" order by currency, sum(margin) desc, {listed}",
        [month],
    )
    if not as_json:
        first, currency = len(keys) + 1, len(columns) - 1
        rows = [
            (
                *row[:first],
                *(money(amount, row[currency]) for amount in row[first : first + 3]),
                row[-2] if row[-2] is None else f"{row[-2]:.2f}",
                row[currency],
            )
            for row in rows
        ]
    show_table(f"Margins of {month}", columns, rows, as_json)
