"""What every format shows of taxes, credits, rates and corrections; the user's own templates; other currencies."""

import csv
import io
import re
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pypdf
import pytest

from billing_pipeline.configuration import DocumentSettings
from billing_pipeline.documents.detailed_csv import COLUMNS, COST_COLUMNS, detailed_csv
from billing_pipeline.documents.invoice_csv import invoice_csv
from billing_pipeline.documents.invoice_html import HtmlWriter
from billing_pipeline.documents.invoice_pdf import DocumentInvalid, PdfCompiler
from billing_pipeline.documents.invoice_xlsx import invoice_xlsx
from billing_pipeline.documents.other_currency import in_other_currency
from billing_pipeline.documents.view import invoice_view
from billing_pipeline.exchange import AppliedRate
from billing_pipeline.invoicing import Invoice, InvoiceLine
from resources.document_files import Layout, Templates, write_documents
from tests.documents import an_invoice, line, with_everything

EUR_TO_USD = AppliedRate("EUR", "USD", Decimal("1.1"), date(2026, 10, 30), "ECB", False)
CHARGE = {
    "line_number": 1,
    "charge_id": "use-1",
    "billing_period": "2026-10",
    "period_start": date(2026, 10, 1),
    "period_end": date(2026, 10, 2),
    "quantity": Decimal("3.000"),
    "unit": "Hours",
    "amount_precise": Decimal("1.234567890"),
    "total_cost": Decimal("1.2"),
    "currency": "USD",
    "price_term": "pricing_rule",
    "price_term_id": "aws",
    "source": "aws",
    "delivery_id": "aws/1/2026-10/abc",
    "files": [("a.csv", "ab" * 32, [1, 2, 3, 9]), ("b.csv", "cd" * 32, [7])],
    "cause": None,
}
ADJUSTMENT = {**CHARGE, "billing_period": "2026-08", "cause": "price"}


@pytest.fixture(scope="module")
def compiler() -> PdfCompiler:
    return PdfCompiler()


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def issued() -> Invoice:
    made = with_everything(an_invoice(line(1, "120.00"), line(2, "7.00")))
    return replace(made, invoice_number="INV-2026-000042", status="open", issued_on=date(2026, 11, 3))


def test_pdf_and_html_show_taxes_credits_rates_and_options_in_plain_words(compiler: PdfCompiler) -> None:
    page = re.sub(r"<[^>]+>", "\n", HtmlWriter().render(issued()).decode("utf-8"))
    for text in (text_of(compiler.render(issued())), page):
        for shown in (
            "Invoice", "INV-2026-000042", "3 Nov 2026", "VAT 20%", "20 %", "120.00", "24.00", "reverse charge",
            "Art. 196",
            "cr-7", "Microsoft", "1 Jan 2027", "95.00", "1 USD = 0.9 EUR, ECB, 30 Oct 2026",
            "1 EUR = 0.87 GBP, 30 Oct 2026", "credits applied, taxes included", "Invoiced before it was settled.",
        ):  # fmt: skip
            assert shown in text


def test_a_pdf_is_an_archival_one(compiler: PdfCompiler) -> None:
    pdf = compiler.render(issued())
    assert b"<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>" in pdf


@pytest.mark.parametrize(
    ("document_type", "number", "title"),
    [
        ("invoice", None, "Statement (draft)"),
        ("invoice", "INV-1", "Invoice"),
        ("credit_note", None, "Credit note (draft)"),
        ("credit_note", "INV-2", "Credit note"),
    ],
)
def test_the_title_says_what_the_document_is(document_type: str, number: str | None, title: str) -> None:
    made = replace(an_invoice(line(1, "1.00")), document_type=document_type, invoice_number=number, corrects="INV-0")
    view = invoice_view(made)
    assert (view["title"], view["corrects"]) == (title, "INV-0")


def test_paying_a_document_does_not_change_its_files(compiler: PdfCompiler) -> None:
    html = HtmlWriter()
    paid = replace(issued(), status="closed")
    assert compiler.render(paid) == compiler.render(issued())
    assert html.render(paid) == html.render(issued())


def test_an_adjustment_shows_its_month_what_it_refers_to_and_what_was_charged() -> None:
    made = replace(adjusted("1.00"), charged_currency="USD", charged_amount=Decimal("1.115"))
    (shown,) = invoice_view(an_invoice(made))["groups"][0]["lines"]
    assert shown["details"][1:] == [
        "Service period August 2026",
        "Refers to INV-2026-000007 line 3",
        "Charged 1.12 USD",
    ]


def adjusted(amount: str = "-7.50", number: int = 1) -> InvoiceLine:
    return replace(
        line(number, amount),
        line_kind="adjustment",
        service_period="2026-08",
        reference="INV-2026-000007 line 3",
    )


def test_csv_and_workbook_name_the_month_and_the_line_that_an_adjustment_refers_to() -> None:
    made = an_invoice(adjusted(), line(2, "9.00"))
    first, second = csv.DictReader(io.StringIO(invoice_csv(made).decode("utf-8"), newline=""))
    assert (first["service_period"], first["reference"]) == ("2026-08", "INV-2026-000007 line 3")
    assert (second["service_period"], second["reference"]) == ("", "")
    heads, row, *_ = openpyxl.load_workbook(io.BytesIO(invoice_xlsx(made)))["Lines"].iter_rows(values_only=True)
    assert (heads[-2:], row[-2:]) == (("Service period", "Reference"), ("2026-08", "INV-2026-000007 line 3"))


def test_the_detailed_csv_names_reference_and_cause_also_of_an_adjustment_without_charges() -> None:
    made = an_invoice(adjusted(), adjusted("-1.00", number=2), line(3, "9.00"))
    rows = list(csv.DictReader(io.StringIO(detailed_csv(made, [ADJUSTMENT]).decode("utf-8"), newline="")))
    assert [(row["billing_period"], row["reference"], row["cause"]) for row in rows] == [
        ("2026-08", "INV-2026-000007 line 3", "price"),
        ("2026-08", "INV-2026-000007 line 3", ""),
        ("2026-10", "", ""),
    ]


def test_an_adjustment_of_nothing_is_only_where_the_cost_is_shown(compiler: PdfCompiler) -> None:
    made = an_invoice(adjusted("0.00"), line(2, "9.00", name="Disk"))
    without = an_invoice(line(2, "9.00", name="Disk"))
    assert compiler.render(made) == compiler.render(without)
    assert HtmlWriter().render(made) == HtmlWriter().render(without)
    assert invoice_xlsx(made) == invoice_xlsx(without)
    assert invoice_csv(made) == invoice_csv(without)
    nothing = {**ADJUSTMENT, "amount_precise": Decimal(0)}
    assert detailed_csv(made, [nothing]) == detailed_csv(without, [])
    cost_rows = list(csv.DictReader(io.StringIO(detailed_csv(made, [nothing], with_cost=True).decode(), newline="")))
    assert [(row["line_number"], row["total_cost"]) for row in cost_rows] == [("1", "1.2"), ("2", "")]


def test_a_document_with_more_taken_back_than_charged_says_that_the_customer_is_owed(compiler: PdfCompiler) -> None:
    made = an_invoice(adjusted())
    view = invoice_view(made)
    assert (view["totals"][-1], view["due_date"]) == ({"label": "Total in your favour", "amount": "7.50"}, None)
    for text in (text_of(compiler.render(made)), HtmlWriter().render(made).decode("utf-8")):
        assert "7.50 EUR" in text
        assert "Due date" not in text
        assert "Total due" not in text
    totals = openpyxl.load_workbook(io.BytesIO(invoice_xlsx(made)))["Totals"]
    facts = {row[0]: row[1] for row in totals.iter_rows(values_only=True) if row[0]}
    assert facts["Total in your favour"] == 7.5
    assert "Due date" not in facts


def test_a_document_of_zero_has_nothing_due_and_no_day() -> None:
    view = invoice_view(an_invoice(line(1, "0.00")))
    assert (view["totals"][-1], view["due_date"]) == ({"label": "Total due", "amount": "0.00"}, None)


@pytest.mark.parametrize("name", ["تخزين سحابي قياسي", "Ελληνικά", "😀"])
def test_text_can_be_copied_out_of_a_pdf_letter_by_letter(compiler: PdfCompiler, name: str) -> None:
    found = text_of(compiler.render(an_invoice(line(1, "1.00", name=name))))
    assert all(word in found for word in name.split())


def test_html_asks_for_nothing_outside_and_holds_the_logo(tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    made = an_invoice(line(1, "1.00"))
    made = replace(made, organisation=replace(made.organisation, logo=str(logo)))
    page = HtmlWriter().render(made).decode("utf-8")
    assert 'src="data:image/svg+xml;base64,' in page
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_a_workbook_has_typed_cells_with_the_currencys_decimals_and_repeats() -> None:
    made = replace(issued(), currency="BHD")
    content = invoice_xlsx(made)
    assert content == invoice_xlsx(made)
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    assert workbook.sheetnames == ["Lines", "Totals"]
    amount = workbook["Lines"]["G2"]
    assert (amount.value, amount.data_type, amount.number_format) == (120, "n", "#,##0.000")
    facts = {row[0]: row[1] for row in workbook["Totals"].iter_rows(values_only=True) if row[0]}
    assert facts["Due date"] == datetime(2026, 12, 1)  # noqa: DTZ001 a cell has no zone
    assert (facts["Subtotal"], facts["Credits applied"], facts["Total due"]) == (127, -5, 146)


def test_figures_and_their_heads_stand_right_and_text_after_them_keeps_off() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(invoice_xlsx(issued())))
    lines, totals = workbook["Lines"], workbook["Totals"]
    figures = {"Line", "Quantity", "Amount"}
    for row in lines.iter_rows(min_row=1, max_row=3):
        for cell in row:
            if cell.value is not None:
                name = lines.cell(1, cell.column).value
                assert cell.alignment.horizontal == ("right" if name in figures else "left"), cell
                assert cell.alignment.indent == (name in {"Product type", "Unit", "Currency"}), cell
                assert cell.alignment.vertical == "top", cell
    assert {cell.value for row in totals.iter_rows() for cell in row if cell.alignment.horizontal == "right"} >= {
        "Percent", "Taxable", "Tax amount", "Applied", "Left", "Rate", 24, 127,
    }  # fmt: skip
    for sheet in (lines, totals):
        assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage


def test_a_figure_that_a_cell_cannot_hold_is_text() -> None:
    made = an_invoice(line(1, "12345678901234567.89"))
    cell = openpyxl.load_workbook(io.BytesIO(invoice_xlsx(made)))["Lines"]["G2"]
    assert (cell.value, cell.data_type) == ("12345678901234567.89", "s")


def test_the_detailed_csv_has_a_row_per_charge_with_file_hash_and_rows() -> None:
    made = an_invoice(line(1, "1.23"), replace(line(2, "5.00"), line_kind="custom"))
    rows = list(csv.DictReader(io.StringIO(detailed_csv(made, [CHARGE]).decode("utf-8"), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["amount"] == "1.23456789"
    assert rows[0]["currency"] == "USD"
    assert rows[0]["file_name"] == "a.csv; b.csv"
    assert rows[0]["file_sha256"] == f"{'ab' * 32}; {'cd' * 32}"
    assert rows[0]["row_numbers"] == "1-3, 9; 7"
    assert (rows[1]["charge_id"], rows[1]["amount"], rows[1]["line_kind"]) == ("", "5", "custom")


def test_cost_is_in_the_detailed_csv_only_when_asked_for() -> None:
    made = an_invoice(line(1, "1.23"))
    assert b"cost" not in detailed_csv(made, [CHARGE])
    (row,) = csv.DictReader(io.StringIO(detailed_csv(made, [CHARGE], with_cost=True).decode("utf-8"), newline=""))
    assert [row[name] for name in COST_COLUMNS] == ["1.2", "0.03456789"]


def test_another_currency_is_shown_with_its_rate_and_everything_adds_up() -> None:
    made = issued()
    shown = in_other_currency(made, EUR_TO_USD)
    assert (shown.currency, shown.total) == ("USD", Decimal("160.60"))
    assert shown.subtotal == sum(one.amount for one in shown.lines)
    assert shown.total == shown.subtotal + shown.tax_total - shown.credits_applied
    assert shown.exchange_rates[-1] == EUR_TO_USD
    assert shown.notes[0].endswith("The document is in EUR; its total is 146.00 EUR.")
    assert made == issued()


def test_another_currency_leaves_no_cent_over_on_a_statement_of_zero() -> None:
    made = with_everything(an_invoice(line(1, "0.33"), line(2, "0.33")))
    owed = made.subtotal + made.tax_total
    made = replace(made, credits=(replace(made.credits[0], amount=owed),), credits_applied=owed, total=Decimal("0.00"))
    rate = replace(EUR_TO_USD, rate=Decimal("1.4142"))
    assert in_other_currency(made, rate).total == 0


def test_an_inverse_rate_divides_and_is_named_as_it_was_quoted() -> None:
    rate = AppliedRate("USD", "EUR", Decimal("0.8"), date(2026, 10, 30), "ECB", True)
    shown = in_other_currency(an_invoice(line(1, "8.00")), rate)
    assert (shown.currency, shown.total) == ("USD", Decimal("10.00"))
    assert invoice_view(shown)["rates"] == ["1 USD = 0.8 EUR, ECB, 30 Oct 2026"]


def test_templates_of_the_users_own_make_pdf_and_html(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "part.typ").write_text("#let greeting = [Own layout]")
    (tmp_path / "templates" / "mine.typ").write_text(
        '#import "part.typ": greeting\n#let data = json(bytes(sys.inputs.data))\n#greeting #data.number'
    )
    (tmp_path / "templates" / "mine.html.j2").write_text("<p>Own {{ document.customer.name }}</p>")
    settings = DocumentSettings(html_template="templates/mine.html.j2", typst_template="templates/mine.typ")
    layout = Layout(("pdf", "html"), Templates.of_workspace(tmp_path, settings))
    made = an_invoice(line(1, "1.00"))
    made = replace(made, customer=replace(made.customer, name="<b>Acme</b>"))
    pdf, html = write_documents([made], lambda _: tmp_path, lambda name: tmp_path / name, layout)
    assert "Own layout draft-2026-10-1001" in text_of(pdf.read_bytes())
    assert html.read_text("utf-8") == "<p>Own &lt;b&gt;Acme&lt;/b&gt;</p>"


@pytest.mark.parametrize(
    "template",
    [
        "{{ document.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{% include '../secret.txt' %}",
        "{% include '/etc/passwd' %}",
        "{{ document.notes.append('x') }}",
        "{{ unknown }}",
        "{% for",
    ],
)
def test_an_html_template_that_reaches_outside_or_is_wrong_is_refused(tmp_path: Path, template: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "templates").mkdir()
    path = tmp_path / "templates" / "mine.html.j2"
    path.write_text(template)
    with pytest.raises(DocumentInvalid, match=r"mine\.html\.j2"):
        HtmlWriter(path).render(an_invoice(line(1, "1.00")))


@pytest.mark.parametrize(
    "template", ['#read("../secret.txt")', '#read("/etc/passwd")', '#import "@preview/cetz:0.3.1": *', "#panic()"]
)
def test_a_typst_template_that_reaches_outside_or_fails_is_refused(tmp_path: Path, template: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "templates").mkdir()
    path = tmp_path / "templates" / "mine.typ"
    path.write_text(template)
    with pytest.raises(DocumentInvalid):
        PdfCompiler(path).render(an_invoice(line(1, "1.00")))


@pytest.mark.parametrize("name", ["../outside.j2", "/etc/passwd", "missing.j2"])
def test_a_template_outside_the_workspace_or_absent_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentInvalid, match="template"):
        Templates.of_workspace(tmp_path, DocumentSettings(html_template=name))
