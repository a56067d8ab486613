"""The small world of the samples: a reseller's customers and the vendor accounts they use.

What does not belong here: rows of any file, prices to customers (`reference_rows`).
"""

from dataclasses import dataclass

from billing_pipeline.samples.names import CUSTOMER_NAMES
from billing_pipeline.samples.seeds import digits, guid

CURRENCY = "EUR"
FEWEST_CUSTOMERS = len(CUSTOMER_NAMES)
MOST_CUSTOMERS = 1_200
_ROWS_PER_CUSTOMER = 2_500


@dataclass(frozen=True)
class Customer:
    """One end customer of the reseller."""

    customer_id: str
    name: str
    country: str
    city: str
    postal_code: str
    email: str


@dataclass(frozen=True)
class Account:
    """One account or subscription at a vendor.

    Attributes:
        account_id: as the vendor writes it in its files.
        customer_id: whose it is; None for the one that the reseller forgot to assign.
    """

    account_id: str
    name: str
    customer_id: str | None


@dataclass(frozen=True)
class World:
    """Everything the files of one sample have in common.

    Attributes:
        payer_account_id: the reseller's AWS management account, on which tax is charged.
        aws_accounts: linked accounts; the last one belongs to nobody known.
        azure_billing_account_id: the reseller's Microsoft billing account.
        azure_subscriptions: FOCUS sub-accounts, all of known customers.
        seed_prefix: what tells made-up numbers of this world from those of another with the same customers.
    """

    customers: tuple[Customer, ...]
    payer_account_id: str
    aws_accounts: tuple[Account, ...]
    azure_billing_account_id: str
    azure_subscriptions: tuple[Account, ...]
    seed_prefix: str = ""


def customer_count(rows: int) -> int:
    """Return how many customers a month with that many vendor rows has: 24 to 1,200."""
    return max(FEWEST_CUSTOMERS, min(MOST_CUSTOMERS, rows // _ROWS_PER_CUSTOMER))


def build_world(customers: int = FEWEST_CUSTOMERS, organisation: str = "") -> World:
    """Make the world; the same arguments always give the same world.

    Args:
        customers: how many; beyond the list of names, branches of the same companies are added.
        organisation: empty for the reseller's first organisation at the vendors. Another one has the same customers and
            none of the accounts, so that two feeds never bill one usage; all its accounts belong to somebody.

    Raises:
        ValueError: fewer than 24, which the distributor's sample invoices need.
    """
    if customers < FEWEST_CUSTOMERS:
        raise ValueError(f"the samples need at least {FEWEST_CUSTOMERS} customers, not {customers}")
    people = tuple(_customer(index) for index in range(customers))
    prefix = f"{organisation}/" if organisation else ""
    orphans = () if organisation else (Account(digits("aws/orphan", 12), "sandbox-2019", None),)
    return World(
        customers=people,
        payer_account_id="0" + digits(f"{prefix}aws/payer", 11),
        aws_accounts=(*(account for person in people for account in _aws_accounts(person, prefix)), *orphans),
        azure_billing_account_id="/providers/Microsoft.Billing/billingAccounts/" + digits(f"{prefix}azure/billing", 8),
        azure_subscriptions=tuple(account for person in people for account in _subscriptions(person, prefix)),
        seed_prefix=prefix,
    )


def _customer(index: int) -> Customer:
    name, country, city, postal_code = CUSTOMER_NAMES[index % len(CUSTOMER_NAMES)]
    branch = index // len(CUSTOMER_NAMES)
    customer_id = f"C{index + 1001}"
    return Customer(
        customer_id,
        f"{name}, {city} {branch + 1}" if branch else name,
        country,
        city,
        postal_code,
        f"billing+{customer_id.lower()}@customer.example",
    )


def _aws_accounts(customer: Customer, prefix: str) -> list[Account]:
    number = int(customer.customer_id[1:])
    if number % 5 == 0:
        return []
    names = ["production", "staging", "analytics"][: 1 + number % 3]
    return [
        Account(
            digits(f"{prefix}aws/{customer.customer_id}/{name}", 12), f"{customer.customer_id.lower()}-{name}",
            customer.customer_id,
        )
        for name in names
    ]  # fmt: skip


def _subscriptions(customer: Customer, prefix: str) -> list[Account]:
    number = int(customer.customer_id[1:])
    if number % 2 and number % 5:
        return []
    names = ["Azure plan", "Azure plan - Test"][: 1 + number % 2]
    return [
        Account(
            f"/subscriptions/{guid(f'{prefix}azure/{customer.customer_id}/{name}')}",
            f"{name} ({customer.customer_id})",
            customer.customer_id,
        )
        for name in names
    ]
