"""A workbook of charges opened by LibreOffice, and every cell of it held against the charges.

LibreOffice writes each sheet as CSV, texts quoted, numbers and days not, so that a number or a day that it took for a
text is seen. It writes 15 digits of a number, all that it promises to keep: what differs beyond them is not looked at.
"""

import shutil
import subprocess
from pathlib import Path

import duckdb

from billing_pipeline.charges.columns import COLUMNS, Column

# Separator tab, quote ", UTF-8, from line 1, texts quoted, numbers whole, no formulas, every sheet in its own file.
_CSV_OPTIONS = "9,34,76,1,,0,true,true,false,false,false,-1"
_HALF_A_15TH_DIGIT = 0.500001


def find_soffice() -> str | None:
    """Return LibreOffice's program, None where there is none."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def sheets_as_csv(book: Path, folder: Path) -> dict[str, Path]:
    """Let LibreOffice open a workbook and write its sheets.

    Args:
        book: the workbook.
        folder: where the files, and a profile of LibreOffice's own, are written.

    Returns:
        File by name of the sheet, in the order of the sheets.
    """
    program = find_soffice()
    assert program is not None, "LibreOffice is not installed"
    said = subprocess.run(
        [
            program,
            "--headless",
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--convert-to",
            f"csv:Text - txt - csv (StarCalc):{_CSV_OPTIONS}",
            "--outdir",
            str(folder),
            str(book),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = [line.split(" -> ")[0].removeprefix("Writing sheet ") for line in said.splitlines() if " -> " in line]
    return {name: folder / f"{book.stem}-{name}.csv" for name in names}


def differing_cells(sheets: list[Path], charges: Path, columns: tuple[Column, ...] = COLUMNS) -> dict[str, int]:
    """Count the cells of each column in which sheets and charges differ, and `rows` that only one of them has.

    Args:
        sheets: the list's sheets as CSV, in order.
        charges: the same list as Parquet, exact.
        columns: its columns, in order.
    """
    listed = ", ".join(f"'c{index}': 'varchar'" for index in range(len(columns)))
    files = ", ".join(f"'{sheet}'" for sheet in sheets)
    conditions = {
        column.header: _differs(column, f"sheet.c{index}", f'charge."{column.name}"')
        for index, column in enumerate(columns)
    }
    counted = ", ".join(f"count(*) filter ({condition})" for condition in conditions.values())
    query = f"""
        with sheet as (
            select *, row_number() over () as place from read_csv(
                [{files}], header = true, delim = '\t', quote = '', escape = '', auto_detect = false,
                columns = {{{listed}}}, new_line = '\\n', parallel = false)
        ),
        charge as (select *, row_number() over () as place from read_parquet('{charges}'))
        select count(*) filter (sheet.place is null or charge.place is null), {counted}
        from sheet full join charge using (place)
    """
    with duckdb.connect(config={"threads": 1, "preserve_insertion_order": True}) as connection:
        rows, *cells = connection.execute(query).fetchall()[0]
    found = dict(zip(conditions, cells, strict=True))
    return {name: count for name, count in {"rows": rows, **found}.items() if count}


def _differs(column: Column, cell: str, value: str) -> str:
    if column.kind == "text":
        quoted = f"""'"' || replace({value}, '"', '""') || '"'"""
        return f"{cell} is distinct from nullif({quoted}, '\"\"')"
    if column.kind == "date":
        return f"{cell} is distinct from {value}::varchar"
    read = f"try_cast({cell} as decimal(38, 24))"
    unit = f"pow(10, floor(log10(abs({value}::double))) - 14)"
    is_same = f"{read} = {value} or abs(({read} - {value})::double) <= {_HALF_A_15TH_DIGIT} * {unit}"
    return f"not coalesce({is_same}, {cell} is null and {value} is null)"
