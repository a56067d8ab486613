"""The links of one sheet: neighbouring rows with the same address share one."""

from collections.abc import Sequence
from urllib.parse import quote

from resources.charge_cells import STYLE_DEFAULT, STYLE_LINK, column_letters
from resources.workbook_parts import OFFICE_RELATIONS, relations_xml
from resources.workbook_sheet import SheetColumn

# Excel drops links beyond this number from a sheet, and calls the file damaged.
MOST_LINKS = 65_530
_MOST_LINK_CHARACTERS = 2_079


class SheetLinks:
    """Gathers the links of a sheet while its rows are written.

    Args:
        columns: the sheet's columns; at most one has a link template.

    Attributes:
        targets: the addresses, in order.
        left_out: rows whose link does not fit.
    """

    def __init__(self, columns: Sequence[SheetColumn]) -> None:
        linked = [index for index, column in enumerate(columns) if column.link_template is not None]
        self._letters = column_letters(linked[0]) if linked else ""
        self._template = columns[linked[0]].link_template if linked else None
        self._text: str | None = None
        self._ranges: list[tuple[int, int]] = []
        self.targets: list[str] = []
        self.left_out = 0

    def style(self, row_number: int, text: str | None) -> int:
        """Take note of a row, and return the style of its link's cell."""
        if not text or self._template is None:
            self._text = None
            return STYLE_DEFAULT
        if text == self._text:
            self._ranges[-1] = (self._ranges[-1][0], row_number)
            return STYLE_LINK
        target = self._template.replace("{invoice_number}", quote(text, safe=""))
        if len(self.targets) == MOST_LINKS or len(target) > _MOST_LINK_CHARACTERS:
            self.left_out += 1
            self._text = None
            return STYLE_DEFAULT
        self._text = text
        self.targets.append(target)
        self._ranges.append((row_number, row_number))
        return STYLE_LINK

    def xml(self) -> str:
        """Return the sheet's `hyperlinks` element, or nothing."""
        if not self.targets:
            return ""
        links = (
            f'<hyperlink ref="{self._range(first, last)}" r:id="rId{index}"/>'
            for index, (first, last) in enumerate(self._ranges, start=1)
        )
        return f"<hyperlinks>{''.join(links)}</hyperlinks>"

    def relations(self) -> str:
        """Return the sheet's relations: the addresses."""
        return relations_xml(
            (f"{OFFICE_RELATIONS}/hyperlink", target, ' TargetMode="External"') for target in self.targets
        )

    def _range(self, first: int, last: int) -> str:
        start = f"{self._letters}{first}"
        return start if first == last else f"{start}:{self._letters}{last}"
