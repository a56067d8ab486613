"""Cells of the customer-charges list as SQL expressions: what a workbook or a CSV file holds for one value.

DuckDB writes whole rows as text, a thousand times faster than a loop over cells. Values never leave their
column: an expression contains column names and constants of this module, nothing else. What does not belong
here: the files around the rows (`workbook`, `exports`).
"""

from collections.abc import Mapping, Sequence

from billing_pipeline.charges.columns import INVOICE_NUMBER, Column
from billing_pipeline.errors import BillingError

# Stand-ins for what only the writer of the sheet knows. Control characters cannot occur in a cell: they are escaped.
ROW_NUMBER = "\x01"
LINK_STYLE = "\x02"

# Indexes into the workbook's list of cell styles; `workbook_parts` writes them in this order.
STYLE_DEFAULT, STYLE_HEADER, STYLE_DATE, STYLE_LINK, STYLE_PROTECTED_TEXT = range(5)
STYLE_WHOLE, STYLE_FRACTION = 5, 6
_STYLE_FIRST_UNIT_PRICE = 7
MOST_MINOR_UNITS = 4
_STYLE_FIRST_TOTAL = _STYLE_FIRST_UNIT_PRICE + MOST_MINOR_UNITS + 1
STYLE_HEADER_NUMBER = _STYLE_FIRST_TOTAL + MOST_MINOR_UNITS + 1
STYLE_HEADER_NOTE = STYLE_HEADER_NUMBER + 1

# What Excel takes in one cell, counted in UTF-16 units.
MOST_CELL_UNITS = 32_767
# Excel counts days from 1899-12-30, and is right about them from 1 March 1900 on.
_FIRST_EXCEL_DAY = "date '1900-03-01'"
# XML 1.0 has no control characters but tab and line feed (a carriage return is read as a line feed), no U+FFFE, U+FFFF.
_NOT_IN_XML = (*range(0x09), *range(0x0B, 0x20), 0xFFFE, 0xFFFF)
_NEEDS_CARE = r"[\x00-\x08\x0B-\x1F\x{FFFE}\x{FFFF}]|_x[0-9A-Fa-f]{4}_"


class ChargesInvalid(BillingError):
    """A list that is not the customer charges it should be, for example with a charge without currency."""


def unit_price_style(minor_units: int) -> int:
    """Return the style of a unit price in a currency with so many decimals."""
    return _STYLE_FIRST_UNIT_PRICE + minor_units


def total_style(minor_units: int) -> int:
    """Return the style of a total in a currency with so many decimals."""
    return _STYLE_FIRST_TOTAL + minor_units


def sheet_row(columns: Sequence[Column], decimals: Mapping[str, int], has_links: bool) -> str:
    """Return an expression for the XML of one sheet row.

    Args:
        columns: the columns shown, in order.
        decimals: minor units of every currency that occurs.
        has_links: whether the invoice number is a link; its style is then left to the writer of the sheet.

    Returns:
        SQL over a relation with the columns and `currency`; `ROW_NUMBER` stands where the row's number goes.
    """
    cells = [_sheet_cell(column, column_letters(index), decimals, has_links) for index, column in enumerate(columns)]
    return _concat(f"'<row r=\"{ROW_NUMBER}\">'", *cells, "'</row>'")


def csv_row(columns: Sequence[Column], decimals: Mapping[str, int]) -> str:
    r"""Return an expression for one CSV record without its line end.

    Args:
        columns: the columns shown, in order.
        decimals: minor units of every currency that occurs; prices keep at least so many decimals.

    Returns:
        SQL; text that a spreadsheet would take for a formula gets a leading apostrophe (OWASP), numbers stay numbers.
    """
    return f"concat_ws(',', {', '.join(csv_field(column, decimals) for column in columns)})"


def column_letters(index: int) -> str:
    """Return the letters of a sheet's column; 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def shown_number(name: str) -> str:
    """Return an expression for an exact decimal as text without trailing zeros and without exponent."""
    return f"""rtrim(rtrim("{name}"::varchar, '0'), '.')"""


def _sheet_cell(column: Column, letters: str, decimals: Mapping[str, int], has_links: bool) -> str:
    name = f'"{column.name}"'
    reference = f'<c r="{letters}{ROW_NUMBER}" '
    as_text = 't="inlineStr"><is><t xml:space="preserve">\''
    if column.kind == "date":
        serial = _concat(f"'{reference}s=\"{STYLE_DATE}\"><v>'", f"{name} - date '1899-12-30'", "'</v></c>'")
        text = _concat(f"'{reference}{as_text}", f"{name}::varchar", "'</t></is></c>'")
        return f"""case when {name} >= {_FIRST_EXCEL_DAY} and isfinite({name}) then {serial}
            when {name} is not null then {text} else '' end"""
    if column.kind == "text":
        style = f"'{LINK_STYLE}'" if has_links and column == INVOICE_NUMBER else _text_style(column.name)
        cell = _concat(f"'{reference}s=\"'", style, f"'\" {as_text}", _xml_text(column.name), "'</t></is></c>'")
        return f"case when {name} <> '' then {cell} else '' end"
    style = _number_style(column, decimals)
    cell = _concat(f"'{reference}s=\"'", style, "'\"><v>'", shown_number(column.name), "'</v></c>'")
    return f"case when {name} is not null then {cell} else '' end"


def _concat(*parts: str) -> str:
    # Not `||`, which makes a copy of everything so far at each step. `concat` takes null for empty: guard it outside.
    return f"concat({', '.join(parts)})"


def _text_style(name: str) -> str:
    """Text like a formula stays text even when somebody edits the cell: Excel's own leading-apostrophe mark."""
    return f"case when {_is_like_formula(name)} then '{STYLE_PROTECTED_TEXT}' else '{STYLE_DEFAULT}' end"


def _is_like_formula(name: str) -> str:
    return f"""left("{name}", 1) in ('=', '+', '-', '@', chr(9), chr(13))"""


def _number_style(column: Column, decimals: Mapping[str, int]) -> str:
    is_whole = f'"{column.name}" = trunc("{column.name}")'
    by_value = f"case when {is_whole} then '{STYLE_WHOLE}' else '{STYLE_FRACTION}' end"
    if column.kind == "number":
        return by_value
    style_of = total_style if column.name.startswith("total_") else unit_price_style
    cases = [f"when '{code}' then '{style_of(units)}'" for code, units in decimals.items() if units]
    if style_of is total_style:
        return f"case currency {' '.join(cases)} else '{total_style(0)}' end" if cases else f"'{total_style(0)}'"
    return f"case currency {' '.join(cases)} else {by_value} end" if cases else by_value


def _xml_text(name: str) -> str:
    """Escape text for XML; text with characters that need more than `&amp;` is rare and takes the long way."""
    quoted = f'"{name}"'
    long_way = _control_escaped(f"case when {is_too_long(name)} then {_shortened(name)} else {quoted} end")
    return f"""case when regexp_matches({quoted}, '{_NEEDS_CARE}') or strlen({quoted}) > {MOST_CELL_UNITS}
        then {_markup_escaped(long_way)} else {_markup_escaped(quoted)} end"""


def is_too_long(name: str) -> str:
    """Return an expression: whether text exceeds what a cell of a sheet takes."""
    is_too_long = f"{_utf16_units(name)} > {MOST_CELL_UNITS}"
    return f"""(case when strlen("{name}") > {MOST_CELL_UNITS} then {is_too_long} else false end)"""


def _utf16_units(name: str) -> str:
    beyond_16_bits = f"""length(regexp_replace("{name}", '[^\\x{{10000}}-\\x{{10FFFF}}]', '', 'g'))"""
    return f'(length("{name}") + {beyond_16_bits})'


def _shortened(name: str) -> str:
    """Half the units: safe even if every character takes two."""
    return f"""left("{name}", {MOST_CELL_UNITS // 2}) || '…'"""


def _markup_escaped(text: str) -> str:
    return f"replace(replace(replace({text}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"


def _control_escaped(text: str) -> str:
    """Write what XML cannot hold as `_x0001_`, and such text itself as `_x005F_x0001_` (ECMA-376 part 1, 22.9.2.19)."""
    escaped = f"regexp_replace({text}, '_(x[0-9A-Fa-f]{{4}}_)', '_x005F_\\1', 'g')"
    for code in _NOT_IN_XML:
        escaped = f"replace({escaped}, chr({code}), '_x{code:04X}_')"
    return escaped


def csv_field(column: Column, decimals: Mapping[str, int]) -> str:
    """Return an expression for one field of a CSV record; see `csv_row`."""
    name = f'"{column.name}"'
    if column.kind == "date":
        return f"coalesce({name}::varchar, '')"
    if column.kind == "text":
        safe = f"case when {_is_like_formula(column.name)} then concat('''', {name}) else {name} end"
        quoted = f"""concat('"', replace({safe}, '"', '""'), '"')"""
        return f"""coalesce(case when regexp_matches({name}, '[",\\r\\n]') then {quoted} else {safe} end, '')"""
    trimmed = shown_number(column.name)
    if column.kind == "number" or not any(decimals.values()):
        return f"coalesce({trimmed}, '')"
    return f"coalesce({_padded(trimmed, decimals)}, '')"


def _padded(trimmed: str, decimals: Mapping[str, int]) -> str:
    """Keep at least the currency's decimals: `100` becomes `100.00`."""
    units = " ".join(f"when '{code}' then {count}" for code, count in decimals.items())
    wanted = f"case currency {units} end"
    fraction = f"split_part({trimmed}, '.', 2)"
    padding = f"repeat('0', greatest({wanted} - length({fraction}), 0))"
    return f"{trimmed} || case when {fraction} = '' and {wanted} > 0 then '.' else '' end || {padding}"
