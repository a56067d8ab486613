"""An invoice as HTML for screen and print: one file that holds everything and asks for nothing.

Every value is escaped; the template runs in Jinja2's sandbox and sees the view's data, nothing else. What does not
belong here: what is shown (`view`).
"""

import base64
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from billing_pipeline.documents.invoice_pdf import DocumentInvalid, existing_logo
from billing_pipeline.documents.view import invoice_view
from billing_pipeline.invoicing import Invoice

_TEMPLATE = Path(__file__).parent / "templates" / "invoice.html.j2"
_IMAGE_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}


class HtmlWriter:
    """Makes HTML of invoices; keep one and reuse it, the template is read once.

    Args:
        template: a template of the user's; it may include others of its folder. None takes the one that comes along.
    """

    def __init__(self, template: Path | None = None) -> None:
        path = template or _TEMPLATE
        environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(path.parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, keep_trailing_newline=True,
        )  # fmt: skip
        try:
            self._template = environment.get_template(path.name)
        except TemplateError as error:
            raise DocumentInvalid(f"template {path}: {type(error).__name__}: {error}") from error

    def render(self, invoice: Invoice) -> bytes:
        """Lay an invoice out as HTML.

        Args:
            invoice: the document; `organisation.logo` is the path of an image file (PNG, JPEG, SVG, GIF, WebP) or None.

        Returns:
            UTF-8; the logo and the styles are inside. The same invoice gives the same bytes.

        Raises:
            DocumentInvalid: the logo cannot be read, or the template fails or reaches for what it may not.
            UnknownCurrency, PeriodInvalid: see `invoice_view`.
        """
        view: dict[str, Any] = invoice_view(invoice)
        view["logo"] = _data_uri(existing_logo(invoice.organisation.logo))
        try:
            text = self._template.render(document=view)
        # A template of a user's may fail in any way; whatever it is, it is the template that has to be named.
        except Exception as error:
            raise DocumentInvalid(
                f"invoice {invoice.invoice_id} cannot be laid out by {self._template.filename}:"
                f" {type(error).__name__}: {error}"
            ) from error
        # A lone surrogate cannot be written as UTF-8.
        return text.encode("utf-8", errors="replace")


def _data_uri(logo: Path | None) -> str | None:
    if logo is None:
        return None
    media_type = _IMAGE_TYPES.get(logo.suffix.lower())
    if media_type is None:
        raise DocumentInvalid(f"logo {logo}: no image of a known kind ({', '.join(sorted(_IMAGE_TYPES))})")
    return f"data:{media_type};base64,{base64.b64encode(logo.read_bytes()).decode('ascii')}"
