"""An invoice as PDF, by typst: one compiler, one template, fonts of our own.

Text reaches the template as JSON and stays text: nothing of a vendor or a user is ever pasted into markup.
The same invoice gives the same bytes: no clock, no system fonts, the document's date comes from its period.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import typst

from billing_pipeline.documents.view import invoice_view
from billing_pipeline.errors import BillingError
from billing_pipeline.invoicing import Invoice

_TEMPLATE = Path(__file__).parent / "templates" / "invoice.typ"
# Packages of the Noto fonts (SIL OFL 1.1). System fonts would make the bytes depend on the machine.
_FONT_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")
# Han characters differ by country; where the customer's country says nothing the simplified forms are used.
_HAN_FONTS = {"JP": "Noto Sans CJK JP", "KR": "Noto Sans CJK KR", "TW": "Noto Sans CJK TC", "HK": "Noto Sans CJK HK"}
_SIMPLIFIED_HAN_FONT = "Noto Sans CJK SC"
_FIRST_FONT = "Noto Sans"
_LAST_FONTS = ("Noto Sans Symbols", "Noto Emoji", "DejaVu Sans Mono")


class DocumentInvalid(BillingError):
    """An invoice that cannot be laid out, for example because its logo is no image."""


class PdfCompiler:
    """Makes PDFs of invoices; keep one and reuse it, loading the fonts takes longer than a page.

    Not safe for use by several threads at once; give each its own.
    """

    def __init__(self) -> None:
        folders = [_package_folder(name) for name in _FONT_PACKAGES]
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)
        self._families = frozenset(fonts.families())
        self._compiler = typst.Compiler(font_paths=fonts)
        self._template = _TEMPLATE.read_bytes()

    def render(self, invoice: Invoice) -> bytes:
        """Lay an invoice out on A4 pages.

        Args:
            invoice: the document; `organisation.logo` is the path of an image file (PNG, JPEG, SVG, GIF, WebP) or None.

        Returns:
            A tagged PDF; the same invoice gives the same bytes.

        Raises:
            DocumentInvalid: the logo cannot be read, or typst refuses the document.
            UnknownCurrency, PeriodInvalid: see `invoice_view`.
        """
        view = invoice_view(invoice)
        logo = _existing_logo(invoice.organisation.logo)
        view["logo"] = f"/{logo.name}" if logo else None
        view["fonts"] = self._font_list(invoice.customer.country)
        # typst reads files only below its root: the logo's folder is the one place that the template can reach.
        root = logo.parent if logo else _TEMPLATE.parent
        try:
            pdf = self._compiler.compile(
                self._template,
                format="pdf",
                root=root,
                sys_inputs={"data": json.dumps(view, ensure_ascii=False)},
                timestamp=0,
            )
        except typst.TypstError as error:
            raise DocumentInvalid(f"invoice {invoice.invoice_id} cannot be laid out: {error}") from error
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
        return [_FIRST_FONT, *scripts, han, *_LAST_FONTS]


def _package_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise DocumentInvalid(f"the font package {package} is not installed; install the project's dependencies")
    return Path(spec.submodule_search_locations[0])


def _existing_logo(path: str | None) -> Path | None:
    if path is None:
        return None
    logo = Path(path)
    if not logo.is_file():
        raise DocumentInvalid(f"logo {path}: no such file")
    return logo
