"""Documents shown in another currency that their customer has enabled, with the rate table in force.

What does not belong here: the conversion (`billing_pipeline.documents.other_currency`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from billing_pipeline.documents.other_currency import in_other_currency
from billing_pipeline.errors import BillingError
from billing_pipeline.exchange import RateTable
from billing_pipeline.invoicing import Invoice
from billing_pipeline.periods import BillingPeriod
from resources.reference_files import load_reference
from resources.workspace import Workspace


class CurrencyNotEnabled(BillingError):
    """A document was to be shown in a currency that its customer has not enabled."""


@dataclass(frozen=True)
class StatementCurrency:
    """One currency that documents are shown in.

    Attributes:
        enabled: by customer, the currencies a statement may be shown in.
    """

    currency: str
    rates: RateTable
    enabled: Mapping[str, frozenset[str]]

    @classmethod
    def of_workspace(cls, workspace: Workspace, currency: str) -> Self:
        """Read the rate table and the customers' currencies, new reference files included."""
        reference = load_reference(workspace.home, workspace.load_config().organisation.zone)
        enabled = {
            row["customer_id"]: frozenset(_listed(row["enabled_currencies"])) | {row["invoice_currency"]}
            for row in reference.customers.iter_rows(named=True)
        }
        return cls(currency, RateTable(reference.exchange_rates.to_dicts()), enabled)

    def show(self, invoice: Invoice) -> Invoice:
        """Return a document in this currency, at the latest rate up to the last day of its period.

        Raises:
            CurrencyNotEnabled: the customer has not enabled it.
            RateMissing: there is no such rate, or several that differ.
        """
        if invoice.currency == self.currency:
            return invoice
        if self.currency not in self.enabled.get(invoice.customer.id, frozenset()):
            raise CurrencyNotEnabled(
                f"customer {invoice.customer.id} ({invoice.customer.name}): currency {self.currency} is not enabled;"
                " add it to enabled_currencies in customers.csv"
            )
        last_day = BillingPeriod.parse(invoice.billing_period).end_day - timedelta(days=1)
        return in_other_currency(invoice, self.rates.rate(invoice.currency, self.currency, last_day))


def _listed(currencies: str | list[str] | None) -> list[str]:
    return currencies.split(";") if isinstance(currencies, str) else list(currencies or ())
