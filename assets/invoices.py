"""Invoice drafts as an asset: one draft per customer of a billing month, whatever day its deliveries arrived."""

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    BackfillPolicy,
    Config,
    MaterializeResult,
    MetadataValue,
    MonthlyPartitionsDefinition,
    asset,
)
from pydantic import Field

from assets.metadata import column_schema, describe, markdown_table
from assets.reference_check import reference_check_result, reference_check_spec
from billing_pipeline.invoicing import DraftOptions
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.schemas.invoices import INVOICE_DRAFTS
from resources import clock
from resources.connections import WorkspaceResource
from resources.invoice_runs import draft_month
from resources.relations import read_partitions
from resources.unfinished_work import UnfinishedWork


class DraftConfig(Config):
    """Options of a run of drafts."""

    customers: list[str] = Field(default_factory=list, description="Customer ids; empty for all.")
    apply_credits: bool = Field(False, description="General credits reduce the invoice, never below 0.")
    include_tax: bool = Field(False, description="Add the taxes of the customer's place.")
    include_marketplace_fees: bool = Field(False, description="Pass marketplace fees through at cost.")
    use_credits_for_marketplace_fees: bool = Field(False, description="Marketplace credits pay marketplace fees.")
    override_unsettled: str = Field("", description="Reason why a period that is not settled is invoiced anyway.")
    who: str = Field("dagster", description="Recorded in the ledger as the one who drafted.")


def build_invoice_drafts(months: MonthlyPartitionsDefinition) -> AssetsDefinition:
    """Return the asset `invoice_drafts`."""

    @asset(
        partitions_def=months,
        deps=["priced_line_items", "usage_reconciliation"],
        backfill_policy=BackfillPolicy.single_run(),
        group_name="invoicing",
        kinds={"duckdb", "sqlite"},
        metadata={"dagster/column_schema": column_schema(INVOICE_DRAFTS)},
        description="Drafts from the current deliveries of a billing period; a customer that cannot be drafted is an"
        " error with its reason, the others go on.",
        check_specs=[reference_check_spec("invoice_drafts")],
    )
    def invoice_drafts(
        context: AssetExecutionContext, workspace: WorkspaceResource, config: DraftConfig
    ) -> MaterializeResult:
        options = DraftOptions(
            include_marketplace_fees=config.include_marketplace_fees,
            override_unsettled=config.override_unsettled or None,
            customers=tuple(config.customers) or None,
            include_tax=config.include_tax,
            apply_credits=config.apply_credits,
            use_credits_for_marketplace_fees=config.use_credits_for_marketplace_fees,
        )
        periods = [BillingPeriod.parse(key[: len("2026-10")]) for key in context.partition_keys]
        failed: list[list[str]] = []
        reference = workspace.reference()
        UnfinishedWork(workspace.workspace.home).begin_change()
        with workspace.session() as connection:
            for period in periods:
                now = clock.utc_now()
                replaced = draft_month(connection, workspace.workspace, reference, period, options, now, config.who)
                failed += [[error.customer_id, error.reason] for error in replaced.errors]
            texts = [period.text for period in periods]
            read_partitions(connection, "draft_lines", INVOICE_DRAFTS, workspace.lake, texts)
            return MaterializeResult(
                metadata={
                    **describe(connection, "draft_lines", "amount", "product_type"),
                    "customers_without_draft": len({customer for customer, _ in failed}),
                    "errors": MetadataValue.md(markdown_table(["customer", "reason"], failed)),
                },
                check_results=[reference_check_result(reference)],
            )

    return invoice_drafts
