"""Whose is which account at which vendor: the sample's `accounts.csv`, from the generators' own numbers."""

from collections.abc import Iterable

from billing_pipeline.samples.azure_cost_values import tenant_accounts
from billing_pipeline.samples.catalogue import Account, World, build_world
from billing_pipeline.samples.gcp_values import subaccounts
from billing_pipeline.samples.microsoft_files import tenant_id
from billing_pipeline.samples.ms_daily import entitlement_id
from billing_pipeline.samples.sources import (
    AWS,
    AWS_CUR2,
    AWS_DBR,
    AZURE,
    AZURE_COSTS,
    GCP_RESELLER,
    MS_DAILY,
    MS_NCE,
)

Assigned = list[tuple[str, str]]


def accounts_by_source(world: World) -> dict[str, Assigned]:
    """Return account and customer of everything the samples' files name, by source.

    Left out are the AWS account that the reseller forgot and the row of new commerce that names no customer.

    Args:
        world: of the sources that grow with the sample; the smaller feeds have the fewest customers there can be.
    """
    few = build_world()
    tenants = {
        source: [(tenant_id(source, person.customer_id), person.customer_id) for person in few.customers]
        for source in (MS_NCE, MS_DAILY)
    }
    # One row of the daily usage names no tenant: there the subscription tells whose it is.
    first = few.customers[0].customer_id
    return {
        AWS: _assigned(world.aws_accounts),
        AZURE: _assigned(world.azure_subscriptions),
        AWS_CUR2: _assigned(build_world(organisation=AWS_CUR2).aws_accounts),
        AWS_DBR: _assigned(build_world(organisation=AWS_DBR).aws_accounts),
        MS_NCE: tenants[MS_NCE],
        MS_DAILY: [*tenants[MS_DAILY], (entitlement_id(first), first)],
        AZURE_COSTS: tenant_accounts(few),
        GCP_RESELLER: subaccounts(few),
    }


def _assigned(accounts: Iterable[Account]) -> Assigned:
    return [(account.account_id, account.customer_id) for account in accounts if account.customer_id is not None]
