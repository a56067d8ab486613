"""Measure documents: CPU time of one PDF, HTML page and workbook of 1, 40 and 900 lines.

Usage: python -m bench.documents [--documents N]. Every document differs from the others in every amount, as a month's
do: typst keeps what it has laid out, and the same one twice costs a fraction.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from billing_pipeline.documents.invoice_html import HtmlWriter
from billing_pipeline.documents.invoice_pdf import PdfCompiler
from billing_pipeline.documents.invoice_xlsx import invoice_xlsx
from billing_pipeline.invoicing import Invoice
from tests.documents import an_invoice, line, with_everything

LINES = (1, 40, 900)
NAMES = ("Standard_D4s_v5", "Αποθηκευτικός χώρος", "تخزين سحابي قياسي", "Cloud 😀 Storage", "Premium SSD, EU West")
PRODUCT_TYPES = ("Compute", "Storage", "Network", "Support")


def document(line_count: int, number: int) -> Invoice:
    """Return a document of so many lines; each number gives other names and amounts."""
    lines = [
        line(
            position + 1,
            f"{(position * 3711 + number * 977) % 500000 / Decimal(100):.2f}",
            name=f"{NAMES[position % len(NAMES)]} {number}-{position}",
            product_type=PRODUCT_TYPES[position * len(PRODUCT_TYPES) // line_count],
        )
        for position in range(line_count)
    ]
    made = with_everything(an_invoice(*lines))
    return replace(made, invoice_id=f"document-{number}")


def main() -> None:
    """Print a line per format and size: CPU milliseconds a document, the first one with its preparation apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20, help="documents of each size")
    parser.add_argument("--rows", help="taken for the sake of `make bench`; documents have lines, not rows")
    count = parser.parse_args().documents
    start = time.process_time()
    compiler, html = PdfCompiler(), HtmlWriter()
    print(f"preparation (fonts, templates): {(time.process_time() - start) * 1000:.0f} ms, once")
    makers: dict[str, Callable[[Invoice], bytes]] = {
        "pdf": compiler.render,
        "html": html.render,
        "xlsx": invoice_xlsx,
    }
    for name, make in makers.items():
        make(document(1, 0))
        for line_count in LINES:
            documents = [document(line_count, number) for number in range(1, (count if line_count < 900 else 3) + 1)]
            start = time.process_time()
            size = sum(len(make(one)) for one in documents)
            cost = (time.process_time() - start) * 1000 / len(documents)
            print(f"{name:<5}{line_count:>5} lines {cost:8.1f} ms CPU {size / len(documents) / 1024:8.0f} KiB")


if __name__ == "__main__":
    main()
