"""The sample workspace's sources: their ids, and the billing.toml that declares them.

Feeds of one vendor are different organisations of the reseller there: no usage is in two of them.
"""

AWS, AWS_CUR2, AWS_DBR = "aws", "aws-cur2", "aws-dbr"
AZURE, AZURE_COSTS = "azure", "azure-costs"
MS_NCE, MS_DAILY = "ms-nce", "ms-daily"
GCP_RESELLER = "gcp"
DISTRIBUTOR = "dist"


def sample_billing_toml(time_zone: str = "Europe/Athens") -> str:
    """Return a billing.toml with the sample's organisation and a source for every format.

    Args:
        time_zone: IANA name of the organisation's zone.
    """
    return f'''\
[organisation]
id = "meltemi"
name = "Meltemi Cloud A.E."
time_zone = "{time_zone}"
currency = "EUR"
country = "GR"
charges_start_on = 2020-01-01
standard_edition_since = 2019-06-01
show_invoice_numbers = true
invoice_link = "https://shop.meltemi.example/invoices/{{invoice_number}}"
address = "Leoforos Syngrou 112, 11741 Athina"
email = "billing@meltemi.example"
phone = "+30 210 000 0000"
tax_id = "EL000000000"
payment_terms_days = 30
invoice_series = "INV"

[[sources]]
id = "{AWS}"
format = "aws_cur"
vendor = "AWS"
settles_after_business_days = [5, 15]

[[sources]]
id = "{AZURE}"
format = "focus"
vendor = "Microsoft"
settles_after_business_days = [5, 15]

[[sources]]
id = "{DISTRIBUTOR}"
format = "distributor_invoice"
vendor = "Aegean Cloud Distribution"
settles_after_business_days = [0, 5]

[[sources]]
id = "{AWS_CUR2}"
format = "aws_cur2"
vendor = "AWS"
settles_after_business_days = [5, 15]

[[sources]]
id = "{AWS_DBR}"
format = "aws_dbr"
vendor = "AWS"
settles_after_business_days = [5, 15]
currency = "EUR"                       # the report names none

[[sources]]
id = "{MS_NCE}"
format = "ms_nce"
vendor = "Microsoft"
settles_after_business_days = [5, 15]

[[sources]]
id = "{MS_DAILY}"
format = "ms_daily"
vendor = "Microsoft"
settles_after_business_days = [5, 15]

[[sources]]
id = "{AZURE_COSTS}"
format = "azure_costs"
vendor = "Microsoft"
settles_after_business_days = [5, 15]

[[sources]]
id = "{GCP_RESELLER}"
format = "gcp_reseller"
vendor = "Google Cloud"
settles_after_business_days = [3, 5]   # the export has no invoice number: what arrives later is final
'''
