"""What somebody wants to see of the customer charges: columns, rows, order, formats; and views, which are saved wishes.

What does not belong here: reading charges, writing files (`resources.exports`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from billing_pipeline.charges.column_filters import parse_column_filters
from billing_pipeline.charges.columns import Column, choose_columns
from billing_pipeline.charges.filters import ParsedFilter, all_of, parse_filter
from billing_pipeline.charges.ordering import SortKey, parse_sort
from billing_pipeline.errors import WrongUsage

FORMATS = ("xlsx", "csv", "parquet")
# The view that holds where none is named.
DEFAULT_VIEW = "default"


class ExportInvalid(WrongUsage):
    """An export that cannot be made as it was asked for."""


@dataclass(frozen=True)
class ExportRequest:
    """What to show or export.

    Attributes:
        columns: the columns, in order.
        sort: the order of the rows.
        filter: the rows wanted; None for all.
        formats: of `xlsx`, `csv`, `parquet`; empty for what the file's suffix says.
        filter_text: the filter as it was written, for a reader.
    """

    columns: tuple[Column, ...]
    sort: tuple[SortKey, ...]
    filter: ParsedFilter | None = None
    formats: tuple[str, ...] = ()
    filter_text: str = ""

    @classmethod
    def parse(
        cls,
        columns: Iterable[str] | str | None = None,
        where: str | None = None,
        sort: str | None = None,
        formats: Iterable[str] | str | None = None,
        filters: Iterable[str] | None = None,
    ) -> Self:
        """Read a request as the command line gives it.

        Args:
            columns: headers or snake_case names, one text with commas or several; None for the default ones.
            where: filter expression, see `parse_filter`; None for all rows.
            sort: see `parse_sort`; None for the default order.
            formats: one text with commas or several; None for what the file's suffix says.
            filters: filters of one column each, see `parse_column_filters`; they and `where` must all be met.

        Raises:
            ColumnUnknown, SortInvalid, FilterInvalid: see there.
            ExportInvalid: a format is unknown.
        """
        expression = parse_filter(where) if where is not None and where.strip() else None
        single_filters = tuple(filters or ())
        return cls(
            columns=choose_columns(_words(columns)),
            sort=parse_sort(sort),
            filter=all_of([parse_column_filters(single_filters), expression]),
            formats=parse_formats(formats),
            filter_text="; ".join([*single_filters, *([] if where is None or expression is None else [where.strip()])]),
        )


def check_wish(value: Any, info: ValidationInfo) -> Any:
    """Check one key of a view, or one option of its name; for models of pydantic, which gather ValueErrors by key."""
    try:
        ExportRequest.parse(**{str(info.field_name): value})
    except WrongUsage as error:
        raise ValueError(str(error)) from error
    return value


class View(BaseModel):
    """A saved wish, `[views.NAME]` in billing.toml; every key may be left out.

    Attributes:
        columns: headers or snake_case names, in order; empty for the default ones.
        where: filter expression.
        filters: filters of one column each.
        sort: columns to sort by.
        formats: of `xlsx`, `csv`, `parquet`, where a folder is written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[str, ...] = ()
    where: str | None = None
    filters: tuple[str, ...] = ()
    sort: str | None = None
    formats: tuple[str, ...] = ()

    _can_be_read = field_validator("columns", "where", "filters", "sort", "formats")(check_wish)

    def with_wishes(self, wishes: "View") -> "View":
        """Return this view with whatever is said in `wishes` in the place of its own."""
        return self.model_copy(update={name: getattr(wishes, name) for name in wishes.model_fields_set})

    def request(self) -> ExportRequest:
        """Return the wish as a request."""
        return ExportRequest.parse(self.columns, self.where, self.sort, self.formats, self.filters)


def choose_view(views: Mapping[str, View], name: str | None) -> View:
    """Return a view by name; without a name the one called `default`, else one that wishes nothing.

    Raises:
        ExportInvalid: there is none of that name; the message names those there are.
    """
    if name is None:
        return views.get(DEFAULT_VIEW, View())
    if name not in views:
        known = f"there are {', '.join(sorted(views))}" if views else "billing.toml has no [views.NAME]"
        raise ExportInvalid(f"view {name!r} is unknown; {known}")
    return views[name]


def parse_formats(formats: Iterable[str] | str | None) -> tuple[str, ...]:
    """Return the formats named, each once, in lower case.

    Raises:
        ExportInvalid: one is unknown.
    """
    wanted = tuple(dict.fromkeys(name.lower() for name in _words(formats)))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise ExportInvalid(f"format {unknown[0]!r} is unknown; there are {', '.join(FORMATS)}")
    return wanted


def _words(text: Iterable[str] | str | None) -> list[str]:
    parts = text.split(",") if isinstance(text, str) else list(text or ())
    return [part.strip() for part in parts if part.strip()]
