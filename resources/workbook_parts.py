"""The parts of an .xlsx file around its sheets: content types, relations, properties, names, styles (ECMA-376)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape, quoteattr

from resources.charge_cells import MOST_MINOR_UNITS, column_letters

MAIN_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_CORE_PROPERTIES = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_NOT_IN_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Numbers keep off the text that may stand on their right.
_ASIDE = 'horizontal="right" indent="1"'
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@dataclass(frozen=True)
class DocumentProperties:
    """What a program shows as the file's properties.

    Attributes:
        title: name of the document.
        creator: who made it, an organisation.
        description: what it shows.
        created: a day that the content gives, never the clock: the same list gives the same bytes.
    """

    title: str
    creator: str = ""
    description: str = ""
    created: date | None = None


def area(column_count: int, data_rows: int, mark: str = "") -> str:
    """Return the range of a sheet's header and data, for example `A1:N101`; `mark` `$` makes it absolute."""
    last = column_letters(column_count - 1)
    return f"{mark}A{mark}1:{mark}{last}{mark}{data_rows + 1}"


def package_members(
    properties: DocumentProperties, names: list[str], column_count: int, counts: list[int], closing_names: list[str]
) -> dict[str, str]:
    """Return everything of the file but its sheets.

    Args:
        properties: of the document.
        names: names of the list's sheets, in order.
        column_count: columns of each of them.
        counts: data rows of each of them.
        closing_names: names of the sheets behind them.

    Returns:
        XML by member name.
    """
    every_name = [*names, *closing_names]
    numbers = range(1, len(every_name) + 1)
    overrides = {
        "/xl/workbook.xml": f"{_CONTENT}.sheet.main+xml",
        "/xl/styles.xml": f"{_CONTENT}.styles+xml",
        "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
        **{f"/xl/worksheets/sheet{number}.xml": f"{_CONTENT}.worksheet+xml" for number in numbers},
    }
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, every_name, strict=True)
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
        "docProps/core.xml": _core_properties(properties),
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


def _core_properties(properties: DocumentProperties) -> str:
    # A day of our own where the content gives none.
    created = properties.created or date(2000, 1, 1)
    texts = {"title": properties.title, "creator": properties.creator, "description": properties.description}
    written = "".join(f"<dc:{name}>{safe_text(text)}</dc:{name}>" for name, text in texts.items() if text)
    return (
        f'{DECLARATION}<cp:coreProperties xmlns:cp="{_CORE_PROPERTIES}" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'{written}<dcterms:created xsi:type="dcterms:W3CDTF">{created.isoformat()}T00:00:00Z</dcterms:created>'
        "</cp:coreProperties>"
    )


def safe_text(text: str) -> str:
    """Escape text for XML; control characters and halves of surrogate pairs, which it cannot hold, become blanks."""
    return escape(_NOT_IN_XML.sub(" ", text))


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
        _number_xf(numbered[formats[0]], 'horizontal="left"'),
        f'<xf {link} fillId="0" applyFont="1"/>',
        f'<xf {plain} fillId="0" quotePrefix="1"/>',
        *(_number_xf(numbered[code]) for code in formats[1:]),
        f'<xf {header} fillId="2" applyFont="1" applyFill="1" applyAlignment="1"><alignment {_ASIDE}/></xf>',
        f'<xf {header} fillId="0" applyFont="1"/>',
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


def _number_xf(number_format: int, alignment: str = _ASIDE) -> str:
    return (
        f'<xf numFmtId="{number_format}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"'
        f' applyAlignment="1"><alignment {alignment}/></xf>'
    )


def relations_xml(entries: Iterable[tuple[str, str, str]]) -> str:
    """Return a relations part: for each (kind, target, further attributes) one relation, rId1, rId2, ..."""
    lines = (
        f'<Relationship Id="rId{index}" Type="{kind}" Target={quoteattr(target)}{mode}/>'
        for index, (kind, target, mode) in enumerate(entries, start=1)
    )
    return f'{DECLARATION}<Relationships xmlns="{_PACKAGE_RELATIONS}">{"".join(lines)}</Relationships>'
