"""Azure products of the sample world: real service and meter names, list prices of the usual order of size."""

# ruff: noqa: E501 a product is a line
from dataclasses import dataclass
from decimal import Decimal

from billing_pipeline.samples.csv_text import times
from billing_pipeline.samples.seeds import code, guid

# What a partner pays of the list price: 15 % partner earned credit.
_PARTNER_SHARE = Decimal("0.85")

# service category, service, meter, unit, list price, kind of quantity, resource type, region, region name
_PRODUCTS = """
Compute|Virtual Machines|D4s v5|1 Hour|0.2304|hours|virtualMachines|westeurope|West Europe
Compute|Virtual Machines|B2ms|1 Hour|0.096|hours|virtualMachines|northeurope|North Europe
Compute|Virtual Machines|E8ds v5|1 Hour|0.688|hours|virtualMachines|germanywestcentral|Germany West Central
Storage|Storage Accounts|Hot LRS Data Stored|1 GB/Month|0.0196|gb_month|storageAccounts|westeurope|West Europe
Storage|Storage Accounts|Hot LRS Write Operations|10K|0.054|gb|storageAccounts|westeurope|West Europe
Storage|Storage Accounts|Premium SSD Managed Disks P10|1/Month|19.71|gb_month|disks|westeurope|West Europe
Databases|SQL Database|vCore|1 Hour|0.2646|hours|servers/databases|westeurope|West Europe
Databases|Azure Cosmos DB|100 RU/s|1/Hour|0.008|hours|databaseAccounts|northeurope|North Europe
Networking|Bandwidth|Standard Data Transfer Out|1 GB|0.083|gb|publicIPAddresses|westeurope|West Europe
Networking|Load Balancer|Standard Included LB Rules and Outbound Rules|1 Hour|0.025|hours|loadBalancers|westeurope|West Europe
Web|Azure App Service|P1 v3 App|1 Hour|0.209|hours|serverFarms|westeurope|West Europe
AI and Machine Learning|Foundry Models|gpt 4o mini Inp glbl Tokens|1M|0.15|gb|accounts|swedencentral|Sweden Central
Security|Key Vault|Operations|10K|0.03|gb|vaults|westeurope|West Europe
Analytics|Log Analytics|Analytics Logs Data Ingestion|1 GB|2.99|gb|workspaces|westeurope|West Europe
Security|Microsoft Defender for Cloud|Standard P2 Node|1/Hour|0.0202|hours|virtualMachines|westeurope|West Europe
Integration|Functions|Free Tier Executions|10|0|requests|sites|westeurope|West Europe
"""


@dataclass(frozen=True)
class AzureProduct:
    """One meter in one region.

    Attributes:
        list_rate: retail price in EUR for one `unit`.
        rate: what the partner pays, EUR for one `unit`, 12 decimals at most.
    """

    category: str
    service: str
    meter: str
    unit: str
    list_rate: Decimal
    rate: Decimal
    quantity_kind: str
    resource_type: str
    region: str
    region_name: str

    @property
    def sku_id(self) -> str:
        """The product id of the price sheet, `DZH318Z0...`."""
        return "DZH318Z0" + code(f"{self.service}/{self.meter}", 4)

    @property
    def sku_price_id(self) -> str:
        """The price of that product, told apart by its meter."""
        return f"{self.sku_id}/{code(self.meter, 4)}/{guid(self.meter)}"


def azure_products() -> tuple[AzureProduct, ...]:
    """Return every product, always in the same order."""
    found = []
    for line in _PRODUCTS.strip().splitlines():
        category, service, meter, unit, price, quantity, resource, region, region_name = line.split("|")
        list_rate = Decimal(price)
        rate = times(list_rate, _PARTNER_SHARE, 12).normalize()
        found.append(
            AzureProduct(category, service, meter, unit, list_rate, rate, quantity, resource, region, region_name)
        )
    return tuple(found)
