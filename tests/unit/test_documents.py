"""Invoices as CSV and PDF: what stands in them, that bytes repeat, and that text stays text."""

import csv
import io
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pypdf
import pytest

from billing_pipeline.documents.formatting import format_amount, format_day, format_period, plain_decimal, text_cell
from billing_pipeline.documents.invoice_csv import COLUMNS, invoice_csv
from billing_pipeline.documents.invoice_pdf import DocumentInvalid, PdfCompiler
from billing_pipeline.documents.view import breakable, invoice_view
from billing_pipeline.money import UnknownCurrency
from tests.documents import an_invoice as invoice
from tests.documents import line

ONE_PIXEL_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="2"><rect width="4" height="2"/></svg>'


@pytest.fixture(scope="module")
def compiler() -> PdfCompiler:
    return PdfCompiler()


def text_of(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234.5", "EUR", "1,234.50"),
        ("1234.5", "JPY", "1,235"),
        ("-1234.5", "BHD", "-1,234.500"),
        ("0.005", "EUR", "0.01"),
        ("-0.001", "EUR", "0.00"),
        ("12345678901234567890.129", "EUR", "12,345,678,901,234,567,890.13"),
    ],
)
def test_an_amount_is_shown_with_its_currencys_decimals(amount: str, currency: str, shown: str) -> None:
    assert format_amount(Decimal(amount), currency) == shown


@pytest.mark.parametrize(
    ("value", "at_least", "written"),
    [("1E-7", 0, "0.0000001"), ("1E+3", 2, "1000.00"), ("0.1000", 2, "0.10"), ("-0.00", 2, "0.00"), ("100", 0, "100")],
)
def test_a_decimal_for_programs_has_no_exponent_and_no_needless_zeros(value: str, at_least: int, written: str) -> None:
    assert plain_decimal(Decimal(value), at_least) == written


def test_days_and_periods_are_written_the_same_under_every_locale() -> None:
    assert format_day(date(2026, 10, 5)) == "5 Oct 2026"
    assert format_period("2026-10") == "October 2026"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_like_a_formula_gets_an_apostrophe_in_csv(start: str) -> None:
    assert text_cell(f"{start}1+1") == f"'{start}1+1"
    assert text_cell(f"a{start}") == f"a{start}"


def test_csv_has_a_row_per_line_with_plain_numbers_and_crlf() -> None:
    made = invoice_csv(invoice(line(1, "1234.50"), line(2, "-0.50", name='=cmd|"x"!A1, "Ω"')))
    assert made.count(b"\r\n") == 3
    assert b"\n" not in made.replace(b"\r\n", b"")
    rows = list(csv.DictReader(io.StringIO(made.decode("utf-8"), newline="")))
    assert list(rows[0]) == list(COLUMNS)
    assert (rows[0]["quantity"], rows[0]["amount"], rows[0]["invoice_number"]) == ("744.5", "1234.50", "")
    assert (rows[1]["product_name"], rows[1]["amount"]) == ('\'=cmd|"x"!A1, "Ω"', "-0.50")


def test_csv_of_an_unknown_currency_is_refused() -> None:
    with pytest.raises(UnknownCurrency):
        invoice_csv(invoice(line(1, "1"), currency="XXX"))


def test_the_view_groups_by_product_type_and_its_subtotals_add_up() -> None:
    view = invoice_view(invoice(line(1, "1.10"), line(2, "2.20"), line(3, "1000", product_type="Storage")))
    assert [(group["product_type"], group["subtotal"]) for group in view["groups"]] == [
        ("Compute", "3.30"),
        ("Storage", "1,000.00"),
    ]
    assert view["totals"] == [
        {"label": "Subtotal", "amount": "1,003.30"},
        {"label": "Total due", "amount": "1,003.30"},
    ]


def test_tax_and_credits_are_shown_only_where_there_are_any() -> None:
    made = replace(invoice(line(1, "100")), tax_total=Decimal("24"), credits_applied=Decimal("5"), total=Decimal("119"))
    assert [(row["label"], row["amount"]) for row in invoice_view(made)["totals"]] == [
        ("Subtotal", "100.00"),
        ("Tax", "24.00"),
        ("Credits applied", "-5.00"),
        ("Total due", "119.00"),
    ]


def test_a_long_word_may_wrap_and_joined_scripts_are_left_alone() -> None:
    assert breakable("a" * 25).replace("\u200b", "") == "a" * 25
    assert "\u200b" in breakable("a" * 25)
    assert breakable("a" * 24) == "a" * 24
    assert breakable("ف" * 40) == "ف" * 40


def test_a_pdf_shows_who_what_and_how_much(compiler: PdfCompiler) -> None:
    (page,) = text_of(compiler.render(replace(invoice(line(1, "1234.50")), notes=("Invoiced before it was settled.",))))
    for shown in (
        "Contoso Cloud Ltd",
        "Statement",
        "DRAFT",
        "Acme GmbH",
        "London, GB",
        "October 2026",
        "Standard_D4s_v5",
        "744.5",
        "1,234.50 EUR",
        "1 Dec 2026",
        "Invoiced before it was settled.",
        "Page 1 of 1",
    ):
        assert shown in page


@pytest.mark.parametrize(("currency", "shown"), [("JPY", "1,235 JPY"), ("BHD", "1,234.500 BHD")])
def test_a_pdf_shows_each_currencys_decimals(compiler: PdfCompiler, currency: str, shown: str) -> None:
    assert shown in text_of(compiler.render(invoice(line(1, "1234.5"), currency=currency)))[0]


def test_the_same_invoice_gives_the_same_pdf_from_any_compiler(compiler: PdfCompiler) -> None:
    made = invoice(line(1, "1.00"))
    first = compiler.render(made)
    compiler.render(invoice(line(1, "2.00")))
    assert compiler.render(made) == first == PdfCompiler().render(made)


def test_every_page_repeats_the_header_and_knows_its_number(compiler: PdfCompiler) -> None:
    pages = text_of(compiler.render(invoice(*(line(number, "1.00") for number in range(1, 121)))))
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
    assert all("Amount EUR" in page and "Compute" in page for page in pages[:-1])


def test_markup_in_a_name_stays_text(compiler: PdfCompiler) -> None:
    name = '#panic("x") *b* _i_ $x$ @r <l> = h `r` \\u{41} ]#{'
    (page,) = text_of(compiler.render(invoice(line(1, "1.00", name=name))))
    assert name in page


@pytest.mark.parametrize("name", ["Ελληνικά", "Кириллица", "漢字", "日本語", "한국어", "😀", "ไทย"])
def test_other_scripts_have_glyphs(compiler: PdfCompiler, name: str) -> None:
    pdf = compiler.render(invoice(line(1, "1.00", name=name)))
    assert name in text_of(pdf)[0]
    # A glyph that no font has would be set as glyph 0 of the first font: an empty box.
    assert compiler.render(invoice(line(1, "1.00", name="\U000f0000"))) != pdf


def test_every_naughty_string_can_be_laid_out(compiler: PdfCompiler, shared_data: Path) -> None:
    names = [name for name in json.loads((shared_data / "text" / "naughty_strings.json").read_text("utf-8")) if name]
    lines = tuple(line(number, "1.00", name=name) for number, name in enumerate(names, start=1))
    assert compiler.render(replace(invoice(*lines), notes=tuple(names))).startswith(b"%PDF")
    rows = list(csv.DictReader(io.StringIO(invoice_csv(invoice(*lines)).decode("utf-8"), newline="")))
    assert [row["product_name"].removeprefix("'") for row in rows] == [name.removeprefix("'") for name in names]


def test_a_logo_is_shown_and_a_missing_or_broken_one_is_named(compiler: PdfCompiler, tmp_path: Path) -> None:
    plain = invoice(line(1, "1.00"))
    logo = tmp_path / "logo.svg"
    logo.write_text(ONE_PIXEL_SVG)
    with_logo = replace(plain, organisation=replace(plain.organisation, logo=str(logo)))
    assert compiler.render(with_logo) != compiler.render(plain)
    logo.write_text("no image")
    with pytest.raises(DocumentInvalid, match="cannot be laid out"):
        compiler.render(with_logo)
    logo.unlink()
    with pytest.raises(DocumentInvalid, match=r"logo\.svg: no such file"):
        compiler.render(with_logo)


def test_an_invoice_without_lines_can_be_laid_out(compiler: PdfCompiler) -> None:
    assert "This period has no charges." in text_of(compiler.render(invoice()))[0]
