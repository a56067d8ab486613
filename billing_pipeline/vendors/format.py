"""What a vendor's file format declares: its columns, its keys, how its header is recognised.

One frozen object per format says everything the conversion needs to know; the business mapping to
the canonical columns is the format's staging SQL. What does not belong here: reading files
(`resources`), the text of one cell (`cells`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from billing_pipeline.manifests import ManifestReader
from billing_pipeline.vendors.control_rows import ControlRows

Kind = Literal["text", "amount", "integer", "instant", "date", "boolean", "map", "month", "records"]
Carrier = Literal["csv", "csv.gz", "csv.zst", "parquet", "json", "jsonl", "jsonl.gz", "xlsx", "zip"]

# A header belongs to a format that finds this share of its required columns in it, so that a file
# that lacks one column is told "missing column", not "unknown format".
RECOGNISED_SHARE = 0.5

_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


def normalise_header(text: str) -> str:
    """Reduce a column's header to what tells it apart: lower-case letters and digits.

    `lineItem/UnblendedCost`, `line_item_unblended_cost` and `LineItemUnblendedCost` become the same
    text; so do a header with and without a byte order mark.
    """
    return _NOT_ALPHANUMERIC.sub("", text.lower())


@dataclass(frozen=True)
class Column:
    """One column of a vendor's file that billing reads.

    Attributes:
        kind: how a cell's text is read.
        required: the header must hold the column.
        nullable: a cell may be empty (also `NULL` or `None`).
        aliases: further headers under which vendors deliver the column.
        decimals: most decimals an amount may have; more would have to be rounded, and is refused.
        values: the only texts allowed, when the standard closes the list; compared as they are.
        is_currency: the text must be an ISO 4217 code with a minor unit.
        needs_zone: an instant must say its zone (our own formats); without, it is UTC (the vendors').
        is_double: the vendor keeps the amount as a double, whose shortest text may have more than `decimals`. It is
            then rounded to them, half away from zero, and what stood in the file is `<name>_unrounded` in `raw_rows`
            (text, null where nothing was rounded). Without it such a number is refused.
        month_first: a date or instant may also be written `M/D/YYYY`, an instant also with a time of day behind it.
        has_ticks: an instant may have the seven decimals of a second that .NET writes; the seventh is cut.
        amounts: members of a list of records that are amounts; they are read like amounts of this column.
        refused: texts that betray a file which must not be billed, each with the reason to give.
        repeats: the column's texts repeat: the reader numbers them, and what the staging SQL makes of such columns
            alone is made once per combination. For a column of distinct texts that would cost more than it saves.
    """

    kind: Kind = "text"
    required: bool = False
    nullable: bool = True
    aliases: tuple[str, ...] = ()
    decimals: int = 18
    values: tuple[str, ...] = ()
    is_currency: bool = False
    needs_zone: bool = False
    repeats: bool = False
    is_double: bool = False
    month_first: bool = False
    has_ticks: bool = False
    amounts: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_checked(self) -> bool:
        """Whether some texts are refused."""
        return self.is_currency or bool(self.values) or bool(self.refused)

    @property
    def is_enumerated(self) -> bool:
        """Whether each distinct text is read once, instead of every cell."""
        return self.repeats or self.is_checked or self.kind not in ("text", "amount")


@dataclass(frozen=True)
class VendorFormat:
    """One vendor format.

    Attributes:
        name: as in `billing.toml`.
        title: as people call it, for messages.
        columns: by their name in `raw_rows`; the vendor's header is found by `normalise_header`.
        staging_sql: name of the SQL file that maps `raw_rows` to the canonical columns.
        invoice_id_column: column whose emptiness means "not final"; a version of the format may lack it.
        row_key: columns that together are unique within one delivery; empty when the vendor has none.
        carriers: how such files arrive.
        tag_prefix: columns whose header starts so are tags, the rest of the header is the tag's key.
        only_known_columns: any other column is an error (our own formats), else it is ignored (the vendors').
        whole_tag_prefixes: columns whose header starts with one of these are tags, the whole header is the tag's key.
        foreign_columns: normalised headers that only a sibling format has; with one of them it is not this format.
        foreign_text: a text that only headers of a sibling format contain.
        manifest: how its manifests are read; None where deliveries come as single files.
        whole_members: normalised names of members that stay one JSON text where a JSON row has an object there.
        month_columns: a file is one invoice and bills one month, which no column names: it is the latest month found in
            these (per row the first that is not empty). The staging SQL gets it as `$billing_month`.
        unbilled_without_invoice_id: a file without the invoice id column is unbilled, not of a version that has none.
        is_invoiced_per_currency: each currency has an invoice and so a file of its own.
        control_rows: how the totals among its rows are read; None where it has none.
        translate_pages: gives items of a JSON document that the vendor calls otherwise this format's members; called
            with the file's name and its pages, raises BadInput.
    """

    name: str
    title: str
    columns: Mapping[str, Column]
    staging_sql: str
    invoice_id_column: str
    row_key: tuple[str, ...] = ()
    carriers: tuple[Carrier, ...] = ("csv", "csv.gz", "csv.zst", "parquet")
    tag_prefix: str | None = None
    only_known_columns: bool = False
    whole_tag_prefixes: tuple[str, ...] = ()
    foreign_columns: frozenset[str] = field(default_factory=frozenset)
    foreign_text: str | None = None
    manifest: ManifestReader | None = None
    whole_members: frozenset[str] = field(default_factory=frozenset)
    month_columns: tuple[str, ...] = ()
    unbilled_without_invoice_id: bool = False
    is_invoiced_per_currency: bool = False
    control_rows: ControlRows | None = None
    translate_pages: Callable[[str, list[object]], list[object]] | None = None

    @property
    def has_tag_columns(self) -> bool:
        """Whether `raw_rows` has a column of tags gathered from many."""
        return self.tag_prefix is not None or bool(self.whole_tag_prefixes)

    @property
    def currency_column(self) -> str:
        """Name of the column that holds the currency of the amounts."""
        return next(name for name, column in self.columns.items() if column.is_currency)

    def share_of_required(self, header: Sequence[str]) -> float:
        """Return which share of the required columns a header holds, 0 to 1."""
        present = {normalise_header(text) for text in header}
        if present & self.foreign_columns:
            return 0.0
        if self.foreign_text is not None and any(self.foreign_text in text for text in header):
            return 0.0
        required = [name for name, column in self.columns.items() if column.required]
        return sum(1 for name in required if present & self.headers_of(name)) / len(required)

    def recognise(self, header: Sequence[str]) -> bool:
        """Tell whether a header is one of this format, possibly with columns missing."""
        return self.share_of_required(header) >= RECOGNISED_SHARE

    def headers_of(self, name: str) -> frozenset[str]:
        """Return the normalised headers under which a column may arrive."""
        return frozenset(normalise_header(text) for text in (name, *self.columns[name].aliases))
