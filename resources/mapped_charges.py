"""The customer charges as the CSV file of another tool, after a mapping.

What does not belong here: what a mapping may say (`charges.mapping`), how a plain field is written (`charge_cells`).
"""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Decimals
from decimal import Decimal
from pathlib import Path

import duckdb

from billing_pipeline.charges.columns import Column
from billing_pipeline.charges.mapping import Mapping, Target
from billing_pipeline.charges.ordering import parse_sort
from billing_pipeline.charges.request import ExportInvalid, ExportRequest
from billing_pipeline.documents.formatting import plain_decimal, text_cell
from resources.charge_cells import csv_field
from resources.charge_list import ChargeList
from resources.charge_statistics import measure
from resources.exports import ExportSummary
from resources.lake import replacing

_ROWS_AT_ONCE = 2_048
_NEEDS_QUOTES = frozenset('",\r\n')


def export_mapped(
    connection: duckdb.DuckDBPyConnection,
    relation_sql: str,
    mapping: Mapping,
    request: ExportRequest,
    out: Path,
    *,
    show_invoice_numbers: bool = True,
) -> ExportSummary:
    r"""Write charges as RFC 4180: UTF-8, the target's header, `\r\n` after every record; the same bytes every time.

    Text that a spreadsheet would take for a formula gets a leading apostrophe; headers stand as they are.

    Args:
        connection: where the relation can be read.
        relation_sql: a select, or a relation's name, with the columns of `customer_charges`.
        mapping: what stands in which column.
        request: filter and order; its columns and formats are not used.
        out: the file.
        show_invoice_numbers: whether the distributor allows displaying its invoices; else that column stays empty.

    Returns:
        Rows written, and the file.

    Raises:
        ExportInvalid: the file's name does not end in `.csv`.
        ChargesInvalid: the relation is not the customer charges, or one of them has no currency.
        duckdb.Error: the relation cannot be read.
    """
    if out.suffix.lower() != ".csv":
        raise ExportInvalid(f"{out.name}: a mapping writes CSV; name a .csv file or a folder")
    charges = ChargeList(connection, relation_sql, mapping.sources, request.sort, request.filter, show_invoice_numbers)
    with charges.in_order() as ordered:
        with ordered.reading() as rows:
            statistics = measure(rows, ())
        with (
            ordered.reading() as rows,
            replacing(out) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as file,
        ):
            file.write(",".join(map(_quoted, mapping.columns)) + "\r\n")
            for lines in _records(rows, list(mapping.columns.values()), statistics.decimals):
                file.write("\r\n".join(lines) + "\r\n")
    return ExportSummary(statistics.rows, (), (out,))


def sorted_for(mapping: Mapping, request: ExportRequest, is_sort_wished: bool) -> ExportRequest:
    """Return the request in the mapping's order, unless another was wished."""
    if is_sort_wished or mapping.sort is None:
        return request
    return ExportRequest(request.columns, parse_sort(mapping.sort), request.filter)


def _records(
    rows: duckdb.DuckDBPyConnection, targets: Sequence[Target], decimals: Decimals[str, int]
) -> Iterator[list[str]]:
    """Yield batches of CSV records, in the order of the session's `charges`."""
    # `concat_ws` would drop a null field; none is null.
    record = f"concat_ws(',', {', '.join(_field(target, decimals) for target in targets)})"
    constants = [_constant(target) for target in targets if target.source is None]
    selected = rows.sql(f"select {record} as line from charges", params=constants)
    for batch in selected.to_arrow_reader(_ROWS_AT_ONCE):
        yield batch.column(0).to_pylist()


def _field(target: Target, decimals: Decimals[str, int]) -> str:
    """Return an expression for one field; a constant is a parameter."""
    source = target.source
    if source is None:
        return "?"
    if target.date_format is not None:
        # Of %, letters, - / . and blanks alone, as the mapping's model holds.
        return f"coalesce(strftime(\"{source.name}\", '{target.date_format}'), '')"
    if target.decimals is None:
        is_whole = source.kind == "number" and source.scale == 0
        return f"coalesce(\"{source.name}\"::varchar, '')" if is_whole else csv_field(source, decimals)
    if target.decimals != "currency":
        return f"coalesce({_rounded(source, target.decimals)}, '')"
    cases = " ".join(f"when '{code}' then {_rounded(source, units)}" for code, units in decimals.items())
    return f"coalesce(case currency {cases} end, '')" if cases else "''"


def _rounded(source: Column, decimals: int) -> str:
    return f'round("{source.name}", {decimals})::decimal(38, {decimals})::varchar'


def _constant(target: Target) -> str:
    value = target.constant
    if isinstance(value, str):
        return _quoted(text_cell(value))
    return plain_decimal(Decimal(value or 0))


def _quoted(text: str) -> str:
    if _NEEDS_QUOTES.isdisjoint(text):
        return text
    escaped = text.replace('"', '""')
    return f'"{escaped}"'
