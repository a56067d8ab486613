"""The files that documents are made into, each whole or not at all.

What does not belong here: how a document looks (`billing_pipeline.documents`), which documents there are (the ledger).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from billing_pipeline.configuration import DocumentSettings
from billing_pipeline.documents.detailed_csv import detailed_csv
from billing_pipeline.documents.invoice_csv import invoice_csv
from billing_pipeline.documents.invoice_html import HtmlWriter
from billing_pipeline.documents.invoice_pdf import DocumentInvalid, PdfCompiler
from billing_pipeline.documents.invoice_xlsx import invoice_xlsx
from billing_pipeline.identifiers import file_name_of
from billing_pipeline.invoicing import Invoice
from resources.lake import replacing

DETAILED: Final = "detailed-csv"
FORMATS: Final = ("pdf", "csv", DETAILED, "html", "xlsx")
# What is written where nobody chooses.
USUAL_FORMATS: Final = ("pdf", "csv")
_SUFFIXES: Final = {DETAILED: ".detailed.csv"}

Charges = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Templates:
    """Templates of the user's; None takes the one that comes along."""

    html: Path | None = None
    typst: Path | None = None

    @classmethod
    def of_workspace(cls, home: Path, settings: DocumentSettings) -> Self:
        """Find the templates that `billing.toml` names.

        Raises:
            DocumentInvalid: one is not there, or lies outside the workspace.
        """
        return cls(_template(home, settings.html_template), _template(home, settings.typst_template))


@dataclass(frozen=True)
class Layout:
    """What documents are made into.

    Attributes:
        formats: of `FORMATS`.
        templates: how PDF and HTML look.
        with_cost: whether the detailed CSV shows the reseller's cost.
        name_suffix: what file names end with before their extension.
    """

    formats: Sequence[str] = USUAL_FORMATS
    templates: Templates = Templates()
    with_cost: bool = False
    name_suffix: str = ""


def write_documents(
    invoices: Iterable[Invoice],
    folder_of: Callable[[Invoice], Path],
    logo_of: Callable[[str], Path],
    layout: Layout = Layout(),
    charges_of: Callable[[Invoice], Charges] | None = None,
) -> list[Path]:
    """Write documents as files; the same document gives the same bytes.

    Args:
        folder_of: the folder of a document's files.
        logo_of: the file of the logo that a document names.
        charges_of: the charges behind a document, as `detailed_csv` takes them; needed for that format only.

    Returns:
        The files, in the order of the documents.

    Raises:
        DocumentInvalid: the logo or a template cannot be read, or a document cannot be laid out.
    """
    makers = _makers(layout, charges_of)
    written = []
    for invoice in invoices:
        complete = _with_logo(invoice, logo_of)
        for name in layout.formats:
            stem = file_name_of(invoice.invoice_id) + layout.name_suffix
            target = folder_of(invoice) / f"{stem}{_SUFFIXES.get(name, f'.{name}')}"
            content = makers[name](complete)
            with replacing(target) as temporary:
                temporary.write_bytes(content)
            written.append(target)
    return written


def _makers(
    layout: Layout, charges_of: Callable[[Invoice], Charges] | None
) -> Mapping[str, Callable[[Invoice], bytes]]:
    """Return what makes each format; only what is asked for is prepared."""
    makers: dict[str, Callable[[Invoice], bytes]] = {"csv": invoice_csv, "xlsx": invoice_xlsx}
    if "pdf" in layout.formats:
        makers["pdf"] = PdfCompiler(layout.templates.typst).render
    if "html" in layout.formats:
        makers["html"] = HtmlWriter(layout.templates.html).render
    if charges_of is not None:
        makers[DETAILED] = lambda invoice: detailed_csv(invoice, charges_of(invoice), layout.with_cost)
    return makers


def _template(home: Path, name: str | None) -> Path | None:
    if name is None:
        return None
    path = (home / name).resolve()
    if not path.is_relative_to(home.resolve()):
        raise DocumentInvalid(f"template {name}: it lies outside the workspace")
    if not path.is_file():
        raise DocumentInvalid(f"template {name}: no such file in {home}")
    return path


def _with_logo(invoice: Invoice, logo_of: Callable[[str], Path]) -> Invoice:
    """Return the document with the whole path of its logo."""
    logo = invoice.organisation.logo
    if logo is None:
        return invoice
    return replace(invoice, organisation=replace(invoice.organisation, logo=str(logo_of(logo))))
