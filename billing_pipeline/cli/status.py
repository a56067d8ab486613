"""`billing status`: where each source stands in each billing period, and what it waits for."""

from typing import Any

from billing_pipeline.cli.output import OUT, money, show_table
from billing_pipeline.cli.reports import query_warehouse
from resources.workspace import Workspace

_COLUMNS = (
    "month", "source", "state", "files", "vendor total", "rows total", "difference", "currency", "settles by",
    "last delivery", "waits for",
)  # fmt: skip


def show_status(workspace: Workspace, month: str | None, as_json: bool) -> None:
    """Print the state of each source and billing period, as of the last publication of the warehouse.

    Args:
        month: the only billing period, None for all.
        as_json: print all columns of `billing_status`, amounts in full precision; the table rounds them.
    """
    columns, rows = query_warehouse(
        workspace,
        "select * from billing_status where $1 is null or billing_period = $1"
        " order by billing_period, source, currency",
        [month],
    )
    if as_json:
        show_table("Status", columns, rows, as_json)
        return
    facts = [dict(zip(columns, row, strict=True)) for row in rows]
    show_table("Status", _COLUMNS, [_shown(row) for row in facts], as_json=False)
    late = sorted({(row["billing_period"], row["source"]) for row in facts if row["is_late"]})
    if late:
        named = ", ".join(f"{source} {period}" for period, source in late)
        OUT.print(f"Later than usual: {named}", markup=False, soft_wrap=True)


def _shown(row: dict[str, Any]) -> list[Any]:
    code = row["currency"]
    amounts = [
        None if code is None or row[name] is None else money(row[name], code)
        for name in ("vendor_total", "rows_total", "difference")
    ]
    # A difference below the minor unit is one: rounded to nothing it would look like none.
    if row["difference"] and not any(digit in "123456789" for digit in amounts[2] or ""):
        amounts[2] = row["difference"]
    last = row["last_received_at"]
    return [
        row["billing_period"],
        row["source"],
        f"{row['state']}, late" if row["is_late"] else row["state"],
        f"{row['files_received']} of {row['files_expected']}",
        *amounts,
        code,
        row["expected_settled_on"],
        None if last is None else last.date().isoformat(),
        row["waits_for"],
    ]
