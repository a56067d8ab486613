"""The whole graph of one workspace: assets, partitions, jobs, schedules and the sensor."""

import warnings

from dagster import (
    AllPartitionMapping,
    AssetDep,
    AssetSelection,
    BetaWarning,
    Definitions,
    define_asset_job,
    in_process_executor,
)

from assets.charges import build_customer_charges
from assets.deliveries import build_intake
from assets.invoices import build_invoice_drafts
from assets.mails import build_mail_outbox
from assets.partitions import arrival_days, billing_months
from assets.pricing import build_priced_line_items
from assets.reconciliation import build_usage_reconciliation
from assets.schedules import build_schedules
from assets.sensors import build_landing_files
from assets.warehouse import build_warehouse
from resources.connections import WorkspaceResource
from resources.workspace import Workspace

DAILY_ASSETS = (
    "deliveries",
    "vendor_charges",
    "priced_line_items",
    "usage_reconciliation",
    "customer_charges",
    "customer_charges_export",
)


def build_definitions(workspace: Workspace) -> Definitions:
    """Return the definitions of a workspace; its time zone decides the partitions and the schedules.

    Raises:
        ConfigurationInvalid: `billing.toml` is absent or wrong.
    """
    # Single-run backfills are beta in Dagster 1.13 and warn at every asset; a test holds that a range is one run.
    warnings.filterwarnings("ignore", category=BetaWarning, message=".*backfill_policy.*")
    time_zone = workspace.load_config().organisation.time_zone
    days, months = arrival_days(time_zone), billing_months(time_zone)
    published = [*DAILY_ASSETS[:-1], "invoice_drafts"]
    everything = [AssetDep(name, partition_mapping=AllPartitionMapping()) for name in published]
    assets = [
        build_intake(days),
        build_priced_line_items(days),
        build_usage_reconciliation(days),
        *build_customer_charges(days),
        build_invoice_drafts(months),
        build_warehouse(everything),
    ]
    daily = define_asset_job(
        "daily",
        AssetSelection.assets(*DAILY_ASSETS, "warehouse"),
        description="A day of arrival, or a range of days as one run: intake to customer charges, and the warehouse.",
    )
    month_close = define_asset_job(
        "month_close",
        AssetSelection.assets("invoice_drafts", "warehouse"),
        description="Invoice drafts of a billing period from its current deliveries, and the warehouse.",
    )
    mail_outbox, mail_schedule = build_mail_outbox(workspace, time_zone)
    return Definitions(
        assets=assets,
        jobs=[daily, month_close, mail_outbox],
        schedules=[*build_schedules(time_zone, daily, month_close), mail_schedule],
        sensors=[build_landing_files(workspace, daily)],
        resources={"workspace": WorkspaceResource(home=str(workspace.home))},
        executor=in_process_executor,
    )
