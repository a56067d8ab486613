"""What the rows of one reference file must find elsewhere: ids, sources, vendors, currencies.

Ids are those of other files, sources and vendors those of billing.toml, currencies those of the customer. Scope ids
that name a product are not judged: they may be a vendor's own sku. What does not belong here: rules within one file
(`reference_checks`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from billing_pipeline.configuration import Source
from billing_pipeline.reference_cells import PROBLEMS_PER_CHECK
from billing_pipeline.reference_places import cell_place, first_rows, rows_place, shown
from billing_pipeline.schemas.reference import REFERENCE_FILES, REFERENCE_FILES_BY_NAME
from billing_pipeline.schemas.reference_file import SOURCE_ROW, CaseRule, ReferenceFile

_SOURCES = ("accounts", "products")
_SCOPES_WITH_VENDOR = ("pricing_rules", "pricebook_prices", "global_adjustments")
# Files whose `currency`, where filled, must be one in which the customer can be billed.
_CURRENCIES = ("special_prices", "support_plans", "custom_charges", "credits")


@dataclass(frozen=True)
class Surroundings:
    """What the reference files must fit.

    Attributes:
        sources: of billing.toml.
        today: local day; a row that ended by it may name a source, vendor or currency that is no more.
    """

    sources: tuple[Source, ...]
    today: date


def check_links(
    frames: Mapping[str, pl.DataFrame], unread: set[str], surroundings: Surroundings | None = None
) -> list[str]:
    """Return the rows that name what does not exist or does not fit.

    Args:
        frames: typed rows by file name, a wrong cell null.
        unread: files that could not be read whole; links to them are not judged.
        surroundings: None judges neither sources nor vendors.
    """
    problems: list[str] = []
    for file in REFERENCE_FILES:
        problems += _unknown_ids(file, frames, unread)
        if surroundings is not None:
            problems += _unknown_sources(file, frames[file.name], surroundings)
        if not unread & {"customers", "pricebooks"}:
            problems += _wrong_currencies(file, frames, surroundings)
    return problems


def _unknown_ids(file: ReferenceFile, frames: Mapping[str, pl.DataFrame], unread: set[str]) -> list[str]:
    links: list[tuple[str, str, CaseRule | None]] = [
        (column.name, column.references, None) for column in file.columns if column.references
    ]
    links += [(*case.references, case) for case in file.cases if case.references]
    problems: list[str] = []
    for column, target, case in links:
        if target in unread:
            continue
        known = frames[target][REFERENCE_FILES_BY_NAME[target].columns[0].name]
        rows = frames[file.name]
        rows = rows if case is None else rows.filter(pl.col(case.column) == case.value)
        unknown = rows.filter(pl.col(column).is_not_null() & ~pl.col(column).is_in(known.implode()))
        problems += [
            f"{cell_place(file, row, column)}: is not in reference/{target}.csv" for row in first_rows(unknown)
        ]
    return problems


def _unknown_sources(file: ReferenceFile, frame: pl.DataFrame, surroundings: Surroundings) -> Iterator[str]:
    lasting = _lasting(file, frame, surroundings)
    if file.name in _SOURCES:
        names = [source.id for source in surroundings.sources]
        advice = "name one of them, or bring the source back into billing.toml"
        yield from _unknown(file, lasting, "source", names, "source", advice)
    if file.name in _SCOPES_WITH_VENDOR:
        vendors = [source.vendor for source in surroundings.sources]
        advice = "name one of them as billing.toml writes it"
        yield from _unknown(file, lasting.filter(scope="vendor"), "scope_id", vendors, "source's vendor", advice)


def _unknown(
    file: ReferenceFile, frame: pl.DataFrame, column: str, known: Sequence[str], noun: str, advice: str
) -> Iterator[str]:
    """Name each unknown value once: a source that billing.toml lost is in as many rows as it has accounts."""
    unknown = (
        frame.filter(pl.col(column).is_not_null() & ~pl.col(column).is_in(list(known)))
        .group_by(column, maintain_order=True)
        .agg(pl.col(SOURCE_ROW))
    )
    named = f"has {', '.join(dict.fromkeys(known))}" if known else "has none"
    if "valid_to" in frame.columns:
        advice = f"{advice}, or end the row with a valid_to that is over"
    for value, rows in unknown.head(PROBLEMS_PER_CHECK).iter_rows():
        yield f"{rows_place(file, rows, column, value)}: is no {noun}; billing.toml {named}: {advice}"


def _wrong_currencies(
    file: ReferenceFile, frames: Mapping[str, pl.DataFrame], surroundings: Surroundings | None
) -> Iterator[str]:
    books = frames["pricebooks"].select("pricebook_id", pl.col("currency").alias("found"))
    rows = _lasting(file, frames[file.name], surroundings)
    if file.name in ("customers", "accounts"):
        column = "pricebook_id"
        rows = rows.join(books.unique("pricebook_id"), on="pricebook_id", how="inner", maintain_order="left")
    elif file.name in _CURRENCIES:
        column = "currency"
        rows = rows.with_columns(pl.col("currency").alias("found"))
        # The currency of a percentage decides nothing.
        rows = rows.filter(method="fixed") if file.name == "special_prices" else rows
    else:
        return
    customers = frames["customers"].select(
        "customer_id", pl.col("invoice_currency").alias("invoiced"), pl.col("enabled_currencies").alias("enabled")
    )
    placed = rows.join(customers.unique("customer_id"), on="customer_id", how="inner", maintain_order="left")
    fits = (pl.col("found") == pl.col("invoiced")) | pl.col("enabled").fill_null("").str.split(";").list.contains(
        pl.col("found")
    )
    for row in first_rows(placed.filter(pl.col("found").is_not_null() & pl.col("invoiced").is_not_null() & ~fits)):
        what = f"its currency {row['found']} is" if column == "pricebook_id" else "is"
        enabled = row["enabled"] or "none"
        yield (
            f"{cell_place(file, row, column)}: {what} not a currency of customer {row['customer_id']}: invoice_currency"
            f" is {row['invoiced']}, enabled_currencies {shown(enabled)}"
        )


def _lasting(file: ReferenceFile, frame: pl.DataFrame, surroundings: Surroundings | None) -> pl.DataFrame:
    """Leave out the rows that ended: they speak of a time whose sources and currencies may be gone."""
    ends = [name for name in ("valid_to", "expires_on") if name in file.column_names]
    if surroundings is None or not ends:
        return frame
    return frame.filter(pl.col(ends[0]).is_null() | (pl.col(ends[0]) > surroundings.today))
