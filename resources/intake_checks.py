"""What decides whether converted files form a delivery, and what its rows add up to."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Context
from zoneinfo import ZoneInfo

from billing_pipeline.configuration import Source
from billing_pipeline.deliveries import FileSet, Refused
from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival, part_stem
from billing_pipeline.periods import BillingPeriod, add_business_days, local_day
from resources.conversion import Converted, RowGroup

# Python's own context keeps 28 digits: fewer than a DECIMAL(38,18) has.
_EXACT = Context(prec=76)


def is_final(source: Source, group: RowGroup, has_invoice_ids: bool, file_set: FileSet, zone: ZoneInfo) -> bool:
    """Tell whether the vendor will still change a delivery.

    A distributor's invoice is final when it is issued. AWS and FOCUS from 1.2 leave the invoice id blank until
    the invoice exists. FOCUS 1.0 and 1.1 have no such column: there a delivery counts as final when it arrived
    after the day on which the vendor usually has settled (the upper bound of `settles_after_business_days`).
    """
    if source.format == "distributor_invoice":
        return group.invoice_status == "issued"
    if has_invoice_ids:
        return group.rows_without_invoice_id == 0
    month_end = BillingPeriod(group.billing_period).end_day
    settled_on = add_business_days(month_end, source.settles_after_business_days[1])
    return local_day(file_set.received_at, zone) >= settled_on


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
        tax_total=one.tax_total,
        invoice_ids=tuple(sorted({*one.invoice_ids, *other.invoice_ids})),
    )


def check_manifest(file_set: FileSet, groups: Sequence[RowGroup]) -> None:
    """Check that an assembly's chunks hold the month for which its manifest says they are.

    Raises:
        BadInput: they hold another month.
    """
    if file_set.manifest is None or file_set.manifest.billing_period is None:
        return
    for group in groups:
        if group.billing_period != file_set.manifest.billing_period:
            raise BadInput(
                file_set.manifest.arrival.name,
                f"the manifest is for {file_set.manifest.billing_period}, its chunks hold {group.billing_period}",
            )


def blamed(file_set: FileSet, error: BadInput) -> Arrival:
    """Return the file of a set that an error names, else the first."""
    pieces = [*file_set.files, *([file_set.manifest.arrival] if file_set.manifest else [])]
    return next((file for file in pieces if file.name == error.file), file_set.files[0])


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
