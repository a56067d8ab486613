"""Products that a distributor sells by seat or consumption, and their distributor list prices (SRP) in EUR."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Licence:
    """One product of the distributor.

    Attributes:
        unit: unit of measure on the invoice.
        list_price: SRP for one `unit`, EUR; None when the distributor states none.
        unit_cost: what the reseller pays for one `unit`, EUR.
    """

    product_id: str
    name: str
    product_type: str
    unit: str
    list_price: Decimal | None
    unit_cost: Decimal
    is_pay_per_use: bool = False


def _licence(line: str) -> Licence:
    product_id, name, product_type, unit, list_price, unit_cost, pay_per_use = line.split("|")
    return Licence(
        product_id, name, product_type, unit, Decimal(list_price) if list_price else None, Decimal(unit_cost),
        pay_per_use == "true",
    )  # fmt: skip


LICENCES: dict[str, Licence] = {
    licence.product_id: licence
    for licence in map(
        _licence,
        """
CFQ7TTC0LDPB-0001|Microsoft 365 Business Basic|Microsoft 365|Month|5.60|4.76|false
CFQ7TTC0LCHC-0002|Microsoft 365 Business Standard|Microsoft 365|Month|11.70|9.945|false
CFQ7TTC0LCHC-0002Y|Microsoft 365 Business Standard (annual)|Microsoft 365|Year|140.40|119.34|false
CFQ7TTC0LFLX-0001|Microsoft 365 E3|Microsoft 365|Month|39.00|33.15|false
CFQ7TTC0LFLZ-0002|Microsoft 365 E5|Microsoft 365|Year|685.20|582.42|false
CFQ7TTC0MM8R-0001|Microsoft 365 Copilot|Microsoft 365|Year|338.40|304.56|false
CFQ7TTC0J203-0004|Power BI Pro|Power Platform|Month|9.40|7.99|false
CFQ7TTC0HVZG-0001|Microsoft Defender for Business|Security|Month|2.80|2.38|false
DZH318Z0BPS6-0001|Azure plan consumption|Azure plan|Unit||0.0023|true
ACR-CYB-WKS-ADV|Acronis Cyber Protect Workstation|Backup|Year|85.00|61.50|false
ACR-STO-GB|Acronis Cloud Storage|Backup|GB|0.045|0.0315|true
DOM-EU|.eu domain registration|Domains|Year|12.00|8.40|false
""".strip().splitlines(),
    )
}
