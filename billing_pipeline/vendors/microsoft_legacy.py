"""Line items of Microsoft's legacy commerce, as the Partner Center API answers them, under the names of new commerce.

Source: Microsoft Partner Center developer documentation, "Get invoice line items", with its published answers: the
providers `office` (licence-based items) and `azure` (usage-based items, and their daily usage without amounts) answer
from the same endpoint as `one_time`, new commerce.

What does not belong here: what the rows become (`sql/staging/ms_nce.sql`).
"""

import re
from collections.abc import Iterator, Mapping

from billing_pipeline.errors import BadInput

_LICENCE, _USAGE, _USAGE_DETAIL = "LicenseBasedLineItem", "UsageBasedLineItem", "DailyUsageLineItem"
_CUSTOMER = {"customerName": "customerCompanyName", "customerDomainName": "domainName"}
_METER = {"productId": "resourceGuid", "productName": "serviceName", "unitType": "unit", "quantity": "consumedQuantity"}
# Members of new commerce, and the legacy members that mean the same.
_NAMES: Mapping[str, Mapping[str, str]] = {
    _LICENCE: {
        "customerDomainName": "domainName",
        "productId": "durableOfferId",
        "skuId": "offerId",
        "productName": "offerName",
        "billableQuantity": "quantity",
        "taxTotal": "tax",
        "billingFrequency": "billingCycleType",
    },
    _USAGE: {
        **_CUSTOMER,
        **_METER,
        "skuId": "sku",
        "billableQuantity": "overageQuantity",
        "effectiveUnitPrice": "pretaxEffectiveRate",
        "subtotal": "pretaxCharges",
        "taxTotal": "taxAmount",
    },
    _USAGE_DETAIL: {**_CUSTOMER, **_METER, "chargeStartDate": "usageDate", "chargeEndDate": "usageDate"},
}
_INVOICE_IN_LINK = re.compile(r"/invoices/([^/?]+)/lineitems", re.IGNORECASE)

Item = dict[str, object]


def as_new_commerce(file: str, pages: list[object]) -> list[object]:
    """Give legacy line items the members of new commerce; every other page and item stays as it is.

    A licence-based item does not name its invoice, the link of its page does. A day's usage has no amount, since the
    usage-based items charge it: it costs 0 in the document's currency.

    Args:
        file: name for errors.
        pages: the document, parsed: `{"items": [...], "links": {...}}`.

    Raises:
        BadInput: there is nothing but usage without amounts; taken, it would replace the month that it details.
    """
    items = [item for page in pages for item in _items(page)]
    kinds = {_kind(item) for item in items}
    if kinds == {_USAGE_DETAIL}:
        reason = "this is usage without amounts; what it costs stands in the billing line items of the same invoice"
        raise BadInput(file, reason, row=1, column="attributes.objectType", value=_USAGE_DETAIL)
    if not kinds & set(_NAMES):
        return pages
    currencies = {item["currency"] for item in items if "currency" in item}
    currency = currencies.pop() if len(currencies) == 1 else None
    translated: list[object] = []
    for page in pages:
        if isinstance(page, dict) and isinstance(page.get("items"), list):
            invoice = _invoice_of(page)
            page = {**page, "items": [_translated(item, invoice, currency) for item in page["items"]]}  # noqa: PLW2901
        translated.append(page)
    return translated


def _items(page: object) -> Iterator[Item]:
    items = page.get("items") if isinstance(page, dict) else None
    yield from (item for item in items or () if isinstance(item, dict)) if isinstance(items, list) else ()


def _kind(item: Item) -> object:
    attributes = item.get("attributes")
    kind = attributes.get("objectType") if isinstance(attributes, dict) else None
    return kind if isinstance(kind, str) else None


def _invoice_of(page: Mapping[str, object]) -> str | None:
    link: object = page
    for member in ("links", "self", "uri"):
        link = link.get(member) if isinstance(link, dict) else None
    match = _INVOICE_IN_LINK.search(link) if isinstance(link, str) else None
    return match[1] if match else None


def _translated(item: object, invoice: str | None, currency: object) -> object:
    kind = _kind(item) if isinstance(item, dict) else None
    if not isinstance(item, dict) or kind not in _NAMES:
        return item
    names = _NAMES[str(kind)]
    changed = {**item, **{name: item[own] for name, own in names.items() if own in item}}
    changed.setdefault("invoiceNumber", invoice)
    if kind != _LICENCE:
        parts = (item.get("serviceType"), item.get("resourceName"))
        changed["meterDescription"] = ", ".join(part for part in parts if isinstance(part, str) and part) or None
    if kind == _USAGE_DETAIL:
        changed |= {"subtotal": "0", "currency": currency}
    return changed
