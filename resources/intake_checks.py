"""What decides whether converted files form a delivery, and what its rows add up to."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Context, Decimal

from billing_pipeline.configuration import Organisation, Source
from billing_pipeline.deliveries import FileSet, Refused
from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival, part_stem
from billing_pipeline.periods import BillingPeriod, local_day
from billing_pipeline.settlement import settlement_days
from billing_pipeline.vendors.registry import FORMATS
from resources.conversion import Converted, RowGroup

# Python's own context keeps 28 digits: fewer than a DECIMAL(38,18) has.
_EXACT = Context(prec=76)


def is_final(
    source: Source, group: RowGroup, has_invoice_ids: bool, file_set: FileSet, organisation: Organisation
) -> bool:
    """Tell whether the vendor will still change a delivery.

    A distributor's invoice is final when it is issued. AWS and FOCUS from 1.2 leave the invoice id blank until
    the invoice exists. FOCUS 1.0 and 1.1 have no such column: there a delivery counts as final when it arrived
    after the day on which the vendor usually has settled (the upper bound of `settles_after_business_days`).
    """
    if source.format == "distributor_invoice":
        return group.invoice_status == "issued"
    if has_invoice_ids:
        return group.rows_without_invoice_id == 0
    usual = settlement_days(source, BillingPeriod(group.billing_period), organisation.country)
    return local_day(file_set.received_at, organisation.zone) >= usual.latest


def merged_groups(converted: Sequence[Converted]) -> list[RowGroup]:
    """Add up the groups of a delivery's chunks."""
    merged: dict[tuple[str, str, str], RowGroup] = {}
    for group in (group for item in converted for group in item.groups):
        key = (group.billing_account_id, group.billing_period, group.currency)
        before = merged.get(key)
        merged[key] = group if before is None else _sum(before, group)
    return [merged[key] for key in sorted(merged)]


def _sum(one: RowGroup, other: RowGroup) -> RowGroup:
    return RowGroup(
        billing_account_id=one.billing_account_id,
        billing_period=one.billing_period,
        currency=one.currency,
        row_count=one.row_count + other.row_count,
        total_cost=_EXACT.add(one.total_cost, other.total_cost),
        rows_without_invoice_id=one.rows_without_invoice_id + other.rows_without_invoice_id,
        invoice_status=one.invoice_status,
        invoice_type=one.invoice_type,
        net_total=one.net_total,
        tax_total=_sum_or_none(one.tax_total, other.tax_total),
        invoice_ids=tuple(sorted({*one.invoice_ids, *other.invoice_ids})),
    )


def _sum_or_none(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return one or other if one is None or other is None else _EXACT.add(one, other)


def check_manifest(file_set: FileSet, converted: Sequence[Converted], groups: Sequence[RowGroup]) -> None:
    """Check that an assembly's chunks hold the rows and the month that its manifest says.

    Args:
        converted: the chunks, in the order of the set.
        groups: all their rows.

    Raises:
        BadInput: a chunk has more or fewer rows, or they hold another month.
    """
    if file_set.manifest is None:
        return
    for key, file, item in zip(file_set.manifest.keys, file_set.files, converted, strict=True):
        stated = file_set.manifest.row_counts.get(key, item.row_count)
        if stated != item.row_count:
            raise BadInput(
                file_set.manifest.arrival.name,
                f"{file.name} has {item.row_count} rows, the manifest says {stated}",
                column="dataRowCount",
                value=key,
            )
    for group in groups:
        if file_set.manifest.billing_account_id not in (None, group.billing_account_id.lower()):
            raise BadInput(
                file_set.manifest.arrival.name,
                f"the manifest is of account {file_set.manifest.billing_account_id}, its chunks hold another",
                value=group.billing_account_id,
            )
    if file_set.manifest.billing_period is None:
        return
    for group in groups:
        if group.billing_period != file_set.manifest.billing_period:
            raise BadInput(
                file_set.manifest.arrival.name,
                f"the manifest is for {file_set.manifest.billing_period}, its chunks hold {group.billing_period}",
            )


def latest_of(source: Source, converted: Sequence[Converted]) -> str | None:
    """Return the month of a whole delivery whose files were taken for several, None if they agree.

    Where the month is that of the latest row (`VendorFormat.month_columns`), a chunk of late rows alone says another.
    """
    months = {group.billing_period for item in converted for group in item.groups}
    return max(months) if FORMATS[source.format].month_columns and len(months) > 1 else None


def check_currency(source: Source, file_set: FileSet, groups: Sequence[RowGroup]) -> None:
    """Check that a delivery of a vendor who sends an invoice for each currency has one currency.

    Raises:
        BadInput: it has several: several invoices in one file could not be replaced one by one.
    """
    currencies = sorted({group.currency for group in groups})
    if FORMATS[source.format].is_invoiced_per_currency and len(currencies) > 1:
        reason = "the file has several currencies; the vendor sends an invoice and a file for each"
        raise BadInput(file_set.files[0].name, reason, value=", ".join(currencies))


def blamed(file_set: FileSet, error: BadInput) -> Arrival:
    """Return the file of a set that an error names, else the first."""
    return next((file for file in file_set.pieces if file.name == error.file), file_set.files[0])


def without_rivals(
    source: Source, taken: Sequence[tuple[FileSet, list[dict[str, object]]]], refused: list[Refused]
) -> Iterator[list[dict[str, object]]]:
    """Refuse usage files of one day that claim one slot while nothing says which of them is the month.

    Those are files that arrived at one instant, and numbered parts (`part-00001`, `part-00002`) that no manifest holds
    together: the one written last would pass for the whole month.
    Distributor invoices may be sent twice a day, first pending, then issued: the file written last counts.

    Args:
        taken: the day's converted sets, each with its rows of the deliveries table.
        refused: gets the rivals.

    Returns:
        The rows of the sets that have no rival.
    """
    claims: dict[tuple[object, object], list[FileSet]] = {}
    for file_set, rows in taken:
        for claim in _claims(source, file_set, rows):
            claims.setdefault(claim, []).append(file_set)
    for file_set, rows in taken:
        rivals = [
            other
            for claim in _claims(source, file_set, rows)
            for other in claims[claim]
            if other is not file_set
            and (isinstance(claim[1], datetime) or other.files[0].name != file_set.files[0].name)
        ]
        if rivals:
            names = ", ".join(sorted({other.files[0].name for other in rivals}))
            reason = (
                f"it holds the same account and month as {names}, which arrived with it;"
                " parts of one delivery need a manifest, a newer version a later received= folder"
            )
            refused.append(Refused(file_set.files[0], BadInput(file_set.files[0].name, reason)))
        else:
            yield rows


def _claims(source: Source, file_set: FileSet, rows: Sequence[dict[str, object]]) -> set[tuple[object, object]]:
    if source.format == "distributor_invoice":
        return set()
    slots = {row["slot"] for row in rows}
    claims: set[tuple[object, object]] = {(slot, file_set.received_at) for slot in slots}
    stem = None if file_set.manifest else part_stem(file_set.files[0].name)
    return claims | {(slot, stem) for slot in slots if stem is not None}
