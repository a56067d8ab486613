"""An invoice as PDF/A-3b, by typst: one compiler, one template, fonts of our own.

Text reaches the template as JSON and stays text: nothing of a vendor or a user is ever pasted into markup.
The same invoice gives the same bytes: no clock, no system fonts, the document's date comes from the document.
"""

import json
import re
import unicodedata
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import typst

from billing_pipeline.documents.view import invoice_view
from billing_pipeline.errors import BillingError
from billing_pipeline.invoicing import Invoice

_TEMPLATE = Path(__file__).parent / "templates" / "invoice.typ"
# Packages of the Noto fonts and of IBM Plex Sans Arabic, all SIL OFL 1.1. System fonts would make the bytes depend on
# the machine.
_FONT_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk", "fontpkg_ibm_plex_sans_arabic")
# Han characters differ by country; where the customer's country says nothing the simplified forms are used.
_HAN_FONTS = {"JP": "Noto Sans CJK JP", "KR": "Noto Sans CJK KR", "TW": "Noto Sans CJK TC", "HK": "Noto Sans CJK HK"}
_SIMPLIFIED_HAN_FONT = "Noto Sans CJK SC"
# Before Noto's Arabic font, which sets letters and their dots as glyphs of their own: copied text would be garbled.
_FIRST_FONTS = ("Noto Sans", "IBM Plex Sans Arabic")
# Archival PDF: every glyph is embedded and has a meaning, colours are defined, nothing lies outside the file.
_STANDARD: Final = "a-3b"
# PDF/A allows no glyph that stands for a missing one; typst names the characters that no font has.
_MISSING = re.compile(r'the text `"(.*?)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
# Control characters, unassigned, private use, surrogates.
_SHAPELESS = frozenset({"Cc", "Cn", "Co", "Cs"})
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# typst names the missing characters of one run after the other; a text that needs more rounds is refused.
_ROUNDS = 400
_PACKAGE = re.compile(r'"@[A-Za-z]')
_LAST_FONTS = ("Noto Sans Symbols", "Noto Emoji", "DejaVu Sans Mono")


class DocumentInvalid(BillingError):
    """An invoice that cannot be laid out, for example because its logo is no image."""


class PdfCompiler:
    """Makes PDFs of invoices; keep one and reuse it, loading the fonts takes longer than a page.

    Not safe for use by several threads at once; give each its own.

    Args:
        template: a template of the user's, which may read what lies beside and below it, nothing else. None takes the
            one that comes along.

    Raises:
        DocumentInvalid: the template, or one beside it, imports a package from the network.
    """

    def __init__(self, template: Path | None = None) -> None:
        folders = [_package_folder(name) for name in _FONT_PACKAGES]
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)
        self._families = frozenset(fonts.families())
        self._compiler = typst.Compiler(font_paths=fonts)
        path = template or _TEMPLATE
        _refuse_packages(path.parent)
        self._root = path.parent
        self._template = path.read_bytes()

    def render(self, invoice: Invoice) -> bytes:
        """Lay an invoice out on A4 pages.

        Args:
            invoice: the document; `organisation.logo` is the path of an image file (PNG, JPEG, SVG, GIF, WebP) or None.

        Returns:
            A tagged PDF/A-3b; characters that no font has are shown as U+FFFD. The same invoice gives the same bytes.

        Raises:
            DocumentInvalid: the logo cannot be read, or typst refuses the document.
            UnknownCurrency, PeriodInvalid: see `invoice_view`.
        """
        view = invoice_view(invoice)
        logo = existing_logo(invoice.organisation.logo)
        # typst reads files only below its root, the template's folder; the logo comes in with the data.
        view["logo"] = list(logo.read_bytes()) if logo else None
        view["fonts"] = self._font_list(invoice.customer.country)
        data = json.dumps(view, ensure_ascii=False)
        # PDF/A wants a date of its file: the document's own, no clock's.
        year, month, day = view["date"]
        timestamp = int(datetime(year, month, day, tzinfo=UTC).timestamp())
        for _ in range(_ROUNDS):
            try:
                return self._compile(data, timestamp)
            except typst.TypstError as error:
                replaced = _without_missing(data, error)
                if replaced == data:
                    raise DocumentInvalid(f"invoice {invoice.invoice_id} cannot be laid out: {error}") from error
                data = replaced
        raise DocumentInvalid(f"invoice {invoice.invoice_id} has too many characters that no font can show")

    def _compile(self, data: str, timestamp: int) -> bytes:
        pdf = self._compiler.compile(
            self._template,
            format="pdf",
            root=self._root,
            sys_inputs={"data": data},
            pdf_standards=_STANDARD,
            timestamp=timestamp,
        )
        assert isinstance(pdf, bytes)
        return pdf

    def _font_list(self, country: str | None) -> list[str]:
        """Return font families in the order in which a character is looked up."""
        han = _HAN_FONTS.get(country or "", _SIMPLIFIED_HAN_FONT)
        scripts = sorted(
            family
            for family in self._families
            if family.startswith("Noto Sans ") and "CJK" not in family and family not in _LAST_FONTS
        )
        return [*_FIRST_FONTS, *scripts, han, *_LAST_FONTS]


def _refuse_packages(folder: Path) -> None:
    """Refuse templates that import packages: typst would fetch them from the network while making an invoice."""
    for path in sorted(folder.rglob("*.typ")):
        if _PACKAGE.search(path.read_text(encoding="utf-8", errors="replace")):
            raise DocumentInvalid(f"template {path}: packages cannot be imported; put the files beside the template")


def _without_missing(data: str, error: typst.TypstError) -> str:
    """Return a document's data with U+FFFD for the characters that an error names as missing from every font."""
    named = _MISSING.findall(f"{error} {error.diagnostic}")
    if not named:
        return data
    missing = frozenset("".join(_ESCAPED.sub(_unescaped, text) for text in named))
    view = _replaced(json.loads(data), missing)
    return json.dumps(view, ensure_ascii=False)


def _unescaped(match: re.Match[str]) -> str:
    code, letter = match.groups()
    return chr(int(code, 16)) if code else _ESCAPES.get(letter, letter)


def _replaced(value: Any, missing: frozenset[str]) -> Any:
    if isinstance(value, str):
        # What Unicode gives no shape is in no font either; typst would name such characters one run at a time.
        return "".join(
            _REPLACEMENT if letter in missing or unicodedata.category(letter) in _SHAPELESS else letter
            for letter in value
        )
    if isinstance(value, list):
        return [_replaced(item, missing) for item in value]
    if isinstance(value, dict):
        return {name: _replaced(item, missing) for name, item in value.items()}
    return value


def _package_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise DocumentInvalid(f"the font package {package} is not installed; install the project's dependencies")
    return Path(spec.submodule_search_locations[0])


def existing_logo(path: str | None) -> Path | None:
    """Return the file of a logo.

    Raises:
        DocumentInvalid: it is not there.
    """
    if path is None:
        return None
    logo = Path(path)
    if not logo.is_file():
        raise DocumentInvalid(f"logo {path}: no such file")
    return logo
