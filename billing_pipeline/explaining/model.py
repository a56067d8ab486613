"""What an explanation says: plain data, without knowing where it was read or how it is shown.

Amounts are exact decimals in the currency of the charge or document beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from billing_pipeline.explaining.arithmetic import Arithmetic
from billing_pipeline.explaining.knowledge import Moment
from billing_pipeline.explaining.rounding import Rounding
from billing_pipeline.explaining.row_ranges import RowRange


@dataclass(frozen=True)
class ReferenceRow:
    """One row of a reference file that had a say in a charge.

    Attributes:
        name: kind and id, such as `pricing_rule aws`.
        file: name of the reference file, without `.csv`.
        sha256: of the version of the file it was read from.
        kept_as: where that version is kept, relative to the workspace; None if it is not found there.
        row_number: 1 is the first row below the header.
        says: what the row says, in words.
        how: `known` when the charge arrived, or `fills_gap`.
        knowledge: the same as a sentence, with the instants.
        cells: the row, by column; empty cells left out.
    """

    name: str
    file: str
    sha256: str | None
    kept_as: str | None
    row_number: int
    says: str
    recorded_at: datetime
    withdrawn_at: datetime | None
    how: Literal["known", "fills_gap"]
    knowledge: str
    cells: Mapping[str, Any]


@dataclass(frozen=True)
class Attribution:
    """Why a charge is a customer's, or which product it is.

    Attributes:
        says: one sentence.
        row: the reference row behind it, or None where the vendor's own names are used or nothing fits.
    """

    says: str
    row: ReferenceRow | None = None


@dataclass(frozen=True)
class VendorFile:
    """A vendor's file and its rows behind one charge.

    Attributes:
        name: name in the source's landing folder.
        kept_as: where its bytes are kept, relative to the workspace; None if they are missing.
        billed_cost: exact sum over the rows, in the charge's currency.
        row_ranges: unbroken runs of data rows; 1 is the first row below the header.
    """

    name: str
    sha256: str
    kept_as: str | None
    row_count: int
    billed_cost: Decimal
    row_ranges: tuple[RowRange, ...]


@dataclass(frozen=True)
class Delivery:
    """The delivery a charge came in.

    Attributes:
        is_current: False once a later delivery has replaced it.
        seen_at: the clock when its files were first landed.
    """

    delivery_id: str
    source: str
    format: str
    received_at: datetime
    seen_at: datetime
    is_final: bool
    is_current: bool


@dataclass(frozen=True)
class ChargeExplanation:
    """One charge: its price, the term behind it, and the vendor's rows.

    Attributes:
        item: the row of priced_line_items.
        moment: the day and instants that decided.
        terms: the rows of the term that set the price: one, or one a tier; none if nothing did.
        adjustments: global adjustments applied after the price.
        pricebook: why the pricebook of the price is the customer's; None for another term.
        price_list: the row of the distributor's price list that says what an item should cost.
        notes: what else is worth knowing, sentences.
        rows: the vendor's rows, or the first of them, empty cells left out; `item["row_count"]` counts all.
        credited: the line whose frozen terms a credit takes.
        problems: what does not agree, sentences.
    """

    item: Mapping[str, Any]
    arithmetic: Arithmetic
    moment: Moment
    terms: tuple[ReferenceRow, ...]
    adjustments: tuple[ReferenceRow, ...]
    customer: Attribution
    product: Attribution
    pricebook: Attribution | None
    price_list: ReferenceRow | None
    delivery: Delivery | None
    files: tuple[VendorFile, ...]
    rows: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()
    credited: "ChargeExplanation | None" = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class DocumentFacts:
    """The document a line belongs to. Amounts in `currency`."""

    invoice_id: str
    invoice_number: str | None
    status: str
    customer_id: str
    customer_name: str
    billing_period: str
    currency: str
    subtotal: Decimal
    total: Decimal
    due_date: date | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LineExplanation:
    """One line of a document.

    Attributes:
        charge_count: how many charges stand behind it.
        charges_amount: their exact sum, in charged_currency: what charged_amount must be.
        charged_amount: the line's exact amount before it was converted to the document's currency.
        adjusts: month and line of the document that is adjusted, None on any other line.
        charges: each of them; empty in the short form of a whole document.
        row_count: vendor rows behind them.
        term_names: kind and id of the terms behind them, sorted.
    """

    line_number: int
    product_type: str
    product_name: str
    description: str
    quantity: Decimal | None
    unit: str | None
    line_kind: str
    rounding: Rounding
    charge_count: int
    charges_amount: Decimal
    charged_amount: Decimal
    charged_currency: str
    row_count: int
    term_names: tuple[str, ...]
    adjusts: str | None = None
    charges: tuple[ChargeExplanation, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """The answer to `explain this`.

    Attributes:
        kind: what the id named.
        id: an id that names it and nothing else.
        document: the document, for it and its lines.
        lines: of the document, or the one that was asked for.
        charges: for a charge, or the items of a distributor's invoice.
        billed_on: documents and lines that hold the charge, `<invoice_id>/<line_number>`, where one was asked for.
        problems: everything that does not agree, with what it is about; empty if all does.
    """

    kind: str
    id: str
    document: DocumentFacts | None = None
    lines: tuple[LineExplanation, ...] = ()
    charges: tuple[ChargeExplanation, ...] = ()
    billed_on: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
