"""The parts of an .xlsx file around its sheets: content types, relations, properties, names, styles (ECMA-376)."""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from resources.charge_cells import MOST_MINOR_UNITS, column_letters

MAIN_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_CORE_PROPERTIES = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def area(column_count: int, data_rows: int, mark: str = "") -> str:
    """Return the range of a sheet's header and data, for example `A1:N101`; `mark` `$` makes it absolute."""
    last = column_letters(column_count - 1)
    return f"{mark}A{mark}1:{mark}{last}{mark}{data_rows + 1}"


def package_members(title: str, names: list[str], column_count: int, counts: list[int]) -> dict[str, str]:
    """Return everything of the file but its sheets.

    Args:
        title: title of the document.
        names: the sheets' names, in order.
        column_count: columns of every sheet.
        counts: data rows of each sheet.

    Returns:
        XML by member name.
    """
    numbers = range(1, len(names) + 1)
    overrides = {
        "/xl/workbook.xml": f"{_CONTENT}.sheet.main+xml",
        "/xl/styles.xml": f"{_CONTENT}.styles+xml",
        "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
        **{f"/xl/worksheets/sheet{number}.xml": f"{_CONTENT}.worksheet+xml" for number in numbers},
    }
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    defined = "".join(
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="{index}" hidden="1">'
        f"'{escape(name)}'!{area(column_count, count, '$')}</definedName>"
        for index, (name, count) in enumerate(zip(names, counts, strict=True))
    ) + "".join(
        f'<definedName name="_xlnm.Print_Titles" localSheetId="{index}">\'{escape(name)}\'!$1:$1</definedName>'
        for index, name in enumerate(names)
    )
    return {
        "[Content_Types].xml": (
            f'{DECLARATION}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            + "".join(f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in overrides.items())
            + "</Types>"
        ),
        "_rels/.rels": relations_xml([
            (f"{OFFICE_RELATIONS}/officeDocument", "xl/workbook.xml", ""),
            (f"{_PACKAGE_RELATIONS}/metadata/core-properties", "docProps/core.xml", ""),
        ]),
        # No clock: the same list gives the same bytes.
        "docProps/core.xml": (
            f'{DECLARATION}<cp:coreProperties xmlns:cp="{_CORE_PROPERTIES}" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/" '
            'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            f"<dc:title>{escape(title)}</dc:title>"
            '<dcterms:created xsi:type="dcterms:W3CDTF">2000-01-01T00:00:00Z</dcterms:created></cp:coreProperties>'
        ),
        "xl/workbook.xml": (
            f'{DECLARATION}<workbook xmlns="{MAIN_NAMESPACE}" xmlns:r="{OFFICE_RELATIONS}">'
            f"<bookViews><workbookView/></bookViews><sheets>{sheets}</sheets>"
            f"<definedNames>{defined}</definedNames></workbook>"
        ),
        "xl/_rels/workbook.xml.rels": relations_xml([
            *((f"{OFFICE_RELATIONS}/worksheet", f"worksheets/sheet{number}.xml", "") for number in numbers),
            (f"{OFFICE_RELATIONS}/styles", "styles.xml", ""),
        ]),
        "xl/styles.xml": _styles(),
    }  # fmt: skip


def _styles() -> str:
    """Return the cell styles, in the order of the style numbers in `charge_cells`."""
    places = range(MOST_MINOR_UNITS + 1)
    formats = [
        "yyyy-mm-dd",
        "#,##0",
        "#,##0.0#########",
        *(f"#,##0.{'0' * place}{'#' * (10 - place)}" if place else "#,##0" for place in places),
        *(f"#,##0.{'0' * place}" if place else "#,##0" for place in places),
    ]
    numbered = {code: number for number, code in enumerate(dict.fromkeys(formats), start=164)}
    codes = "".join(f'<numFmt numFmtId="{number}" formatCode="{code}"/>' for code, number in numbered.items())
    plain, header, link = (f'numFmtId="0" fontId="{font}" borderId="0" xfId="0"' for font in range(3))
    cells = [
        f'<xf {plain} fillId="0"/>',
        f'<xf {header} fillId="2" applyFont="1" applyFill="1"/>',
        _number_xf(numbered[formats[0]]),
        f'<xf {link} fillId="0" applyFont="1"/>',
        f'<xf {plain} fillId="0" quotePrefix="1"/>',
        *(_number_xf(numbered[code]) for code in formats[1:]),
    ]
    font = '<sz val="11"/><name val="Calibri"/><family val="2"/>'
    return (
        f'{DECLARATION}<styleSheet xmlns="{MAIN_NAMESPACE}"><numFmts count="{len(numbered)}">{codes}</numFmts>'
        f'<fonts count="3"><font>{font}</font><font><b/>{font}</font>'
        f'<font><u/><sz val="11"/><color rgb="FF0563C1"/><name val="Calibri"/><family val="2"/></font></fonts>'
        '<fills count="3"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill>'
        '<fill><patternFill patternType="solid"><fgColor rgb="FFE8EDF4"/></patternFill></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(cells)}">{"".join(cells)}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def _number_xf(number_format: int) -> str:
    return f'<xf numFmtId="{number_format}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'


def relations_xml(entries: Iterable[tuple[str, str, str]]) -> str:
    """Return a relations part: for each (kind, target, further attributes) one relation, rId1, rId2, ..."""
    lines = (
        f'<Relationship Id="rId{index}" Type="{kind}" Target={quoteattr(target)}{mode}/>'
        for index, (kind, target, mode) in enumerate(entries, start=1)
    )
    return f'{DECLARATION}<Relationships xmlns="{_PACKAGE_RELATIONS}">{"".join(lines)}</Relationships>'
