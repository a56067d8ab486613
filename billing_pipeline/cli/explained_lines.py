"""Explained documents and their lines for the terminal."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from string import ascii_uppercase

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from billing_pipeline.cli.explained_charges import (
    RANGES_SHOWN,
    add_file,
    add_reference_row,
    amount,
    branch,
    charge_title,
    charge_tree,
)
from billing_pipeline.documents.formatting import format_amount, plain_decimal
from billing_pipeline.explaining.lines import KINDS_OF_CHARGES
from billing_pipeline.explaining.model import (
    ChargeExplanation,
    DocumentFacts,
    LineExplanation,
    ReferenceRow,
    VendorFile,
)
from billing_pipeline.explaining.row_ranges import ranges_text, row_ranges

# Charges of a line written out one by one unless all are asked for.
CHARGES_SHOWN = 10


def line_tree(document: DocumentFacts, line: LineExplanation, everything: bool) -> Tree:
    """Return one line: how it was rounded, the charges behind it, and what they rest on."""
    currency, rounding = document.currency, line.rounding
    title = f"{_document_name(document)}, line {line.line_number}: {line.description} ({line.line_kind})"
    tree = Tree(Text(title, style="bold", overflow="fold"))
    branch(tree, f"customer {document.customer_name} ({document.customer_id}), {document.billing_period}")
    branch(tree, f"payable   {format_amount(rounding.payable, currency)} {currency}", "bold")
    branch(tree, f"exact     {amount(rounding.exact, currency)}")
    branch(branch(tree, f"rounding  {signed(rounding.share)} {currency}"), rounding.explanation)
    for problem in line.problems:
        branch(tree, f"PROBLEM: {problem}", "bold red")
    if line.adjusts is not None:
        branch(tree, f"adjusts {line.adjusts}")
    if line.line_kind not in KINDS_OF_CHARGES and not line.charge_count:
        branch(tree, f"no vendor's charge stands behind a line of kind {line.line_kind}")
        return tree
    agrees = "the line's exact amount" if line.charges_amount == line.charged_amount else "NOT the line's exact amount"
    verb = "changed by" if line.adjusts is not None else "adds up to" if line.charge_count == 1 else "add up to"
    plural = "charge" if line.charge_count == 1 else "charges"
    total = f"{line.charge_count:,} {plural} {verb} {amount(line.charges_amount, line.charged_currency)}: {agrees}"
    if line.charged_currency != currency:
        total += ", before it was converted"
    charges = branch(tree, f"{total}; {line.row_count:,} vendor rows", "bold")
    if len(line.charges) == 1 or everything:
        for charge in line.charges:
            charges.add(charge_tree(charge, all_ranges=everything))
    else:
        add_charges(tree, charges, line.charges)
    return tree


def add_charges(tree: Tree, node: Tree, charges: Sequence[ChargeExplanation]) -> None:
    """Add the first charges in short to a node, and to the tree what all of them rest on, each thing once."""
    terms = _Footnotes(term for charge in charges for term in (*charge.terms, *charge.adjustments))
    files = _files_once(charges)
    letters = {name: _letter(place) for place, name in enumerate(files)}
    for charge in charges[:CHARGES_SHOWN]:
        _add_short(node, charge, terms, letters)
    left = len(charges) - CHARGES_SHOWN
    if left > 0:
        branch(node, f"{left:,} more charges: --all shows them, and every vendor row")
    if terms.rows:
        terms_node = branch(tree, "terms", "bold")
        for number, row in terms.rows.items():
            add_reference_row(terms_node, f"[{number}] {row.name}: {row.says}", row)
    accounts = _Footnotes(charge.customer.row for charge in charges if charge.customer.row is not None)
    products = _Footnotes(charge.product.row for charge in charges if charge.product.row is not None)
    unmapped = dict.fromkeys(
        attribution.says
        for charge in charges
        for attribution in (charge.customer, charge.product)
        if attribution.row is None
    )
    attribution_node = branch(tree, "customer and product", "bold")
    for row in [*accounts.rows.values(), *products.rows.values()][:CHARGES_SHOWN]:
        add_reference_row(attribution_node, row.says, row)
    for says in list(unmapped)[:CHARGES_SHOWN]:
        branch(attribution_node, says)
    files_node = branch(tree, "vendors' files", "bold")
    for name, file in files.items():
        add_file(files_node, file, False, f"[{letters[name]}]")
    problems = [(charge, problem) for charge in charges for problem in charge.problems]
    for charge, problem in problems:
        branch(tree, f"PROBLEM: {charge.item['charge_id']}: {problem}", "bold red")


def _add_short(node: Tree, charge: ChargeExplanation, terms: "_Footnotes", letters: dict[tuple[str, str], str]) -> None:
    item = charge.item
    short = branch(node, charge_title(charge))
    branch(short, f"charge {item['charge_id']}")
    if item["bucket"] != "billed":
        reason = f": {item['reason']}" if item["reason"] else ""
        branch(short, f"not billed, bucket {item['bucket']}{reason}")
    marks = "".join(f" [{terms.number(term)}]" for term in (*charge.terms, *charge.adjustments))
    last = len(charge.arithmetic.steps) - 1
    for place, step in enumerate(charge.arithmetic.steps):
        branch(short, f"{step}{marks if place == last else ''}")
    for file in charge.files:
        ranges = ranges_text(file.row_ranges, RANGES_SHOWN)
        plural = "" if file.row_count == 1 else "s"
        where = f"row{plural} {ranges} of [{letters[file.name, file.sha256]}]"
        branch(short, f"{where}, {amount(file.billed_cost, item['currency'])}")


class _Footnotes:
    """Reference rows, each once, numbered in the order in which they are met."""

    def __init__(self, rows: Iterable[ReferenceRow]) -> None:
        self._numbers: dict[tuple[object, ...], int] = {}
        self.rows: dict[int, ReferenceRow] = {}
        for row in rows:
            key = self._key(row)
            if key not in self._numbers:
                self._numbers[key] = len(self._numbers) + 1
                self.rows[self._numbers[key]] = row

    def number(self, row: ReferenceRow) -> int:
        """Return the number of a row."""
        return self._numbers[self._key(row)]

    @staticmethod
    def _key(row: ReferenceRow) -> tuple[object, ...]:
        return row.file, row.sha256, row.row_number, row.knowledge


def _files_once(charges: Sequence[ChargeExplanation]) -> dict[tuple[str, str], VendorFile]:
    """Return each file once with all rows of the charges in it."""
    found: dict[tuple[str, str], list[VendorFile]] = {}
    for charge in charges:
        for file in charge.files:
            found.setdefault((file.name, file.sha256), []).append(file)
    return {name: _merged(found[name]) for name in sorted(found)}


def _merged(files: Sequence[VendorFile]) -> VendorFile:
    numbers = [number for file in files for first, last in file.row_ranges for number in range(first, last + 1)]
    cost = sum((file.billed_cost for file in files), Decimal(0))
    first = files[0]
    return VendorFile(first.name, first.sha256, first.kept_as, len(numbers), cost, row_ranges(numbers))


def _letter(place: int) -> str:
    letters = ascii_uppercase
    return letters[place] if place < len(letters) else f"{letters[place % len(letters)]}{place // len(letters)}"


def signed(value: Decimal) -> str:
    """Write a difference with its sign."""
    return f"+{plain_decimal(value)}" if value > 0 else plain_decimal(value)


def document_table(document: DocumentFacts, lines: Sequence[LineExplanation]) -> Table:
    """Return all lines of a document in short."""
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    table.add_column("line", justify="right")
    table.add_column("description", overflow="fold")
    table.add_column("term", overflow="fold")
    for name in ("charges", "rows"):
        table.add_column(name, justify="right")
    table.add_column(f"exact {document.currency}", justify="right", overflow="fold")
    table.add_column("rounding", justify="right", overflow="fold")
    table.add_column("payable", justify="right", no_wrap=True)
    for line in lines:
        rounding = line.rounding
        cells = (
            str(line.line_number),
            line.description,
            ", ".join(line.term_names),
            f"{line.charge_count:,}",
            f"{line.row_count:,}",
            plain_decimal(rounding.exact),
            signed(rounding.share),
            format_amount(rounding.payable, document.currency),
        )
        table.add_row(*(Text(cell) for cell in cells))
    return table


def document_title(document: DocumentFacts, lines: Sequence[LineExplanation]) -> str:
    """Name a document with its customer, and say what it adds up to."""
    exact = sum((line.rounding.exact for line in lines), Decimal(0))
    total = f"{format_amount(document.subtotal, document.currency)} {document.currency}"
    return (
        f"{_document_name(document)}: {document.customer_name} ({document.customer_id}), {document.billing_period};"
        f" {len(lines)} lines of exactly {plain_decimal(exact)} {document.currency}, payable {total}"
    )


def _document_name(document: DocumentFacts) -> str:
    if document.invoice_number is None:
        return f"{document.invoice_id} ({document.status})"
    return f"{document.invoice_number} ({document.invoice_id}, {document.status})"
