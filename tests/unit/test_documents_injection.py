"""Text of vendors and users in every format: none of it becomes a formula, markup or access to a file."""

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pypdf
import pytest
from openpyxl.utils.escape import unescape

from billing_pipeline.documents.detailed_csv import detailed_csv
from billing_pipeline.documents.invoice_csv import invoice_csv
from billing_pipeline.documents.invoice_html import HtmlWriter
from billing_pipeline.documents.invoice_pdf import PdfCompiler
from billing_pipeline.documents.invoice_xlsx import invoice_xlsx
from billing_pipeline.documents.view import ZERO_WIDTH_SPACE
from billing_pipeline.invoicing import Invoice, Party
from tests.documents import an_invoice, line, with_everything

PAYLOADS = (
    '=HYPERLINK("http://example.com","click")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "{{7*7}}",
    "{% include '/etc/passwd' %}",
    "<img src=file:///etc/passwd>",
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    '#image("/etc/passwd")',
    '#read("/etc/passwd")',
    "](file:///etc/passwd)",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def poisoned(texts: tuple[str, ...]) -> Invoice:
    """Return a document in which every field that people or vendors write is each of the texts in turn."""
    lines = tuple(
        replace(
            line(number, "1.00", name=text),
            product_type=text,
            product_id=text,
            description=f"{text} ",
            unit=text,
            reference=text,
        )
        for number, text in enumerate(texts, start=1)
    )
    first = texts[0]
    party = Party(first, first, first, first, first, first, "GB", first)
    made = with_everything(an_invoice(*lines))
    return replace(
        made,
        customer=party,
        organisation=party,
        notes=texts,
        taxes=tuple(replace(made.taxes[0], tax_id=text, name=text, reason=f"{text} ") for text in texts),
        credits=tuple(replace(made.credits[0], credit_id=text, vendor=text) for text in texts),
        exchange_rates=tuple(replace(made.exchange_rates[0], source=text) for text in texts),
    )


@pytest.fixture(scope="module")
def naughty(shared_data: Path) -> tuple[str, ...]:
    texts = json.loads((shared_data / "text" / "naughty_strings.json").read_text("utf-8"))
    return (*PAYLOADS, *(text for text in texts if text))


class Tags(HTMLParser):
    """Collects the tags and attributes of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[tuple[str, tuple[str, ...]]] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def tags_of(page: bytes) -> Tags:
    parser = Tags()
    parser.feed(page.decode("utf-8"))
    parser.close()
    return parser


def test_no_text_becomes_a_tag_or_an_attribute_in_html(naughty: tuple[str, ...]) -> None:
    writer = HtmlWriter()
    harmless = tags_of(writer.render(poisoned(("harmless",))))
    page = tags_of(writer.render(poisoned(naughty)))
    assert page.tags == harmless.tags
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "a", "iframe", "link", "object"})
    text = "".join(page.text).replace(ZERO_WIDTH_SPACE, "")
    assert "{{7*7}}" in text
    assert "<img src=file:///etc/passwd>" in text
    assert "root:" not in text


def test_no_text_becomes_a_formula_or_a_link_in_a_workbook_and_all_of_it_comes_back(naughty: tuple[str, ...]) -> None:
    invoice = poisoned(naughty)
    workbook = openpyxl.load_workbook(io.BytesIO(invoice_xlsx(invoice)))
    for sheet in workbook:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" and cell.hyperlink is None for cell in row)
    names = [unescape(str(row[2])) for row in workbook["Lines"].iter_rows(min_row=2, values_only=True)]
    # openpyxl leaves control characters as the workbook writes them: `_x000D_`.
    # XML cannot hold the noncharacter.
    assert names == [text.replace("\ufffe", "\ufffd") for text in naughty]


def test_no_text_begins_like_a_formula_in_csv(naughty: tuple[str, ...]) -> None:
    invoice = poisoned(naughty)
    for content in (invoice_csv(invoice), detailed_csv(invoice, [])):
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
        assert len(rows) == len(naughty)
        for row, text in zip(rows, naughty, strict=True):
            for column in ("product_type", "product_id", "product_name", "description", "unit", "customer_name"):
                assert not row[column].startswith(FORMULA_STARTS)
            assert row["product_name"] == (f"'{text}" if text.startswith(FORMULA_STARTS) else text)


def test_no_text_becomes_markup_or_a_link_in_a_pdf(naughty: tuple[str, ...]) -> None:
    compiler = PdfCompiler()
    pdf = compiler.render(poisoned(PAYLOADS))
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    text = "".join(page.extract_text() for page in reader.pages).replace(ZERO_WIDTH_SPACE, "")
    for shown in ("{{7*7}}", '#read("/etc/passwd")', "<script>alert(1)</script>"):
        assert shown in text
    assert "root:" not in text
    assert all("/Annots" not in page and not page.images for page in reader.pages)
    assert compiler.render(replace(poisoned(PAYLOADS), notes=naughty)).startswith(b"%PDF")
