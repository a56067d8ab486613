"""The options of a run of drafts, as several commands take them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer

from billing_pipeline.errors import WrongUsage
from billing_pipeline.invoicing import DraftOptions
from billing_pipeline.periods import BillingPeriod, local_day
from resources import clock
from resources.workspace import Workspace

ApplyCredits = Annotated[
    bool, typer.Option("--apply-credits", help="General credits reduce the invoice, never below 0; the rest stays.")
]
IncludeTax = Annotated[bool, typer.Option("--include-tax", help="Add the taxes of the customer's place.")]
IncludeMarketplaceFees = Annotated[
    bool, typer.Option("--include-marketplace-fees", help="Pass marketplace fees through at cost, margin 0.")
]
UseCreditsForMarketplaceFees = Annotated[
    bool, typer.Option("--use-credits-for-marketplace-fees", help="Marketplace credits pay marketplace fees.")
]
OverrideUnsettled = Annotated[
    str | None, typer.Option("--override-unsettled", metavar="REASON", help="Draft although vendors still estimate.")
]


class OptionInvalid(WrongUsage):
    """An option that cannot be followed."""


def draft_options(
    apply_credits: bool,
    include_tax: bool,
    include_marketplace_fees: bool,
    use_credits_for_marketplace_fees: bool,
    override_unsettled: str | None,
    customers: Sequence[str] | None = None,
) -> DraftOptions:
    """Return what the operator chose.

    Raises:
        OptionInvalid: an override without a reason, which is printed on the drafts and kept.
    """
    if override_unsettled is not None and not override_unsettled.strip():
        raise OptionInvalid("--override-unsettled needs a reason")
    return DraftOptions(
        include_marketplace_fees=include_marketplace_fees,
        override_unsettled=override_unsettled,
        customers=tuple(customers) if customers else None,
        include_tax=include_tax,
        apply_credits=apply_credits,
        use_credits_for_marketplace_fees=use_credits_for_marketplace_fees,
    )


def period_to_draft(workspace: Workspace, month: str | None) -> BillingPeriod:
    """Return the period that was named, else last month on the organisation's clock."""
    if month is not None:
        return BillingPeriod.parse(month)
    today = local_day(clock.utc_now(), workspace.load_config().organisation.zone)
    return BillingPeriod.of_day(today.replace(day=1) - timedelta(days=1))


def draft_config(options: DraftOptions, who: str) -> dict[str, Any]:
    """Return the run configuration of the asset `invoice_drafts` for some options."""
    return {
        "customers": list(options.customers or ()),
        "apply_credits": options.apply_credits,
        "include_tax": options.include_tax,
        "include_marketplace_fees": options.include_marketplace_fees,
        "use_credits_for_marketplace_fees": options.use_credits_for_marketplace_fees,
        "override_unsettled": options.override_unsettled or "",
        "who": who,
    }
