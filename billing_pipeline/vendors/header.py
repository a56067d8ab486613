"""Find a format's columns in a file's header: by name, never by position."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.format import VendorFormat, normalise_header


@dataclass(frozen=True)
class HeaderMatch:
    """Where a format's columns are in one file.

    Attributes:
        positions: index in the header of each declared column the file has.
        own_names: the vendor's own header text of each of them; the declared name where the file lacks the column.
        tags: index in the header by tag key, keys sorted.
    """

    positions: Mapping[str, int]
    own_names: Mapping[str, str]
    tags: Mapping[str, int]


def match_header(
    vendor_format: VendorFormat, header: Sequence[str], file: str, currency_is_known: bool = False
) -> HeaderMatch:
    """Match a header that was already recognised as one of `vendor_format`.

    Args:
        header: the file's own column names, in file order, byte order mark removed.
        file: name for the error.
        currency_is_known: the source states a currency, so the file need not.

    Raises:
        BadInput: a column appears twice, required columns are missing (all are named), or a column is
            unknown in a format that allows none.
    """
    positions: dict[str, int] = {}
    own_names = {name: name for name in vendor_format.columns}
    tags: dict[str, int] = {}
    wanted = {text: name for name in vendor_format.columns for text in vendor_format.headers_of(name)}
    unknown: list[str] = []
    for index, text in enumerate(header):
        name = wanted.get(normalise_header(text))
        if name is not None:
            if name in positions:
                raise BadInput(
                    file, f"the column appears twice in the header: {own_names[name]!r} and {text!r}", column=text
                )
            positions[name] = index
            own_names[name] = text
        elif vendor_format.tag_prefix is not None and text.startswith(vendor_format.tag_prefix):
            key = text.removeprefix(vendor_format.tag_prefix)
            if key in tags:
                raise BadInput(file, f"the column appears twice in the header: {text!r}", column=text)
            tags[key] = index
        elif text.startswith(vendor_format.whole_tag_prefixes):
            if text in tags:
                raise BadInput(file, f"the column appears twice in the header: {text!r}", column=text)
            tags[text] = index
        else:
            unknown.append(text)
    _refuse_repeated(unknown, file)
    missing = [
        name
        for name, column in vendor_format.columns.items()
        if column.required and name not in positions and not (column.is_currency and currency_is_known)
    ]
    if missing:
        needs_currency = [vendor_format.columns[name].is_currency for name in missing] == [True]
        hint = "; where the files have none, billing.toml states the currency of the source" if needs_currency else ""
        raise BadInput(file, f"missing columns of {vendor_format.title}: {', '.join(missing)}{hint}")
    if unknown and vendor_format.only_known_columns:
        raise BadInput(
            file, f"unknown columns in {vendor_format.title}: {', '.join(map(repr, unknown))}", column=unknown[0]
        )
    return HeaderMatch(positions, own_names, dict(sorted(tags.items())))


def _refuse_repeated(headers: Sequence[str], file: str) -> None:
    for text, count in Counter(headers).items():
        if count > 1 and text != "":
            raise BadInput(file, f"the column appears {count} times in the header", column=text)
