"""A JSON document as the Partner Center API answers: pages with `items`, or an array of such pages.

Such documents are small (2,000 items a page) and are read whole; exports of millions of rows come as JSON Lines.
(Microsoft Partner Center developer documentation, "Get invoice line items".)
"""

from collections.abc import Iterator

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.format import VendorFormat
from resources.carriers import LandedFile, read_chunks
from resources.json_rows import JsonRows, Row, open_objects, parse_json

# A parsed document takes ten times its size in memory.
MAX_DOCUMENT_BYTES = 64 << 20


def open_pages(file: LandedFile, vendor_format: VendorFormat) -> JsonRows:
    """Read the items of all pages, numbered through in file order.

    Args:
        vendor_format: its source's format: says which members stay whole, and translates items.

    Raises:
        BadInput: the file is no such document, is larger than 64 MB, or its last page names a next one.
    """
    try:
        document = parse_json(_content(file).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadInput(file.name, "the file is not UTF-8", value=repr(error.object[error.start : error.end])) from error
    except (ValueError, RecursionError) as error:
        raise BadInput(file.name, f"the file is no valid JSON: {error}") from error
    pages = document if isinstance(document, list) else [document]
    if vendor_format.translate_pages is not None:
        pages = vendor_format.translate_pages(file.name, pages)
    rows = open_objects(_items(file, pages), file.name, vendor_format.whole_members)
    return JsonRows(rows.file, rows.header, _to_the_last(file, pages, rows.blocks))


def _content(file: LandedFile) -> bytes:
    chunks = []
    size = 0
    for chunk in read_chunks(file, "json"):
        size += len(chunk)
        if size > MAX_DOCUMENT_BYTES:
            limit = MAX_DOCUMENT_BYTES >> 20
            raise BadInput(file.name, f"a JSON document over {limit} MB is not taken; such exports come as JSON Lines")
        chunks.append(chunk)
    return b"".join(chunks)


def _items(file: LandedFile, pages: list[object]) -> Iterator[object]:
    for number, page in enumerate(pages, start=1):
        if not isinstance(page, dict) or not isinstance(page.get("items"), list):
            raise BadInput(file.name, f'unknown format: page {number} is not {{"items": [...]}}')
        yield from page["items"]


def _to_the_last(file: LandedFile, pages: list[object], blocks: Iterator[list[Row]]) -> Iterator[list[Row]]:
    yield from blocks
    links = pages[-1].get("links") if pages and isinstance(pages[-1], dict) else None
    if isinstance(links, dict) and links.get("next"):
        raise BadInput(file.name, "the last page names a next page: the file is not complete")
