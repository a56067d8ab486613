"""Columns of the sample's Cost and Usage Report, in the groups in which a row is put together."""

ID = ("identity/LineItemId",)
TIME = (
    "identity/TimeInterval",
    "bill/InvoiceId",
    "bill/InvoicingEntity",
    "bill/BillingEntity",
    "bill/BillType",
    "bill/PayerAccountId",
    "bill/BillingPeriodStartDate",
    "bill/BillingPeriodEndDate",
)
RESOURCE = ("lineItem/UsageAccountId", "lineItem/LineItemType")
HOURS = ("lineItem/UsageStartDate", "lineItem/UsageEndDate")
USAGE_OF = (
    "lineItem/ProductCode",
    "lineItem/UsageType",
    "lineItem/Operation",
    "lineItem/AvailabilityZone",
    "lineItem/ResourceId",
)
AMOUNTS = (
    "lineItem/UsageAmount",
    "lineItem/NormalizationFactor",
    "lineItem/NormalizedUsageAmount",
    "lineItem/CurrencyCode",
    "lineItem/UnblendedRate",
    "lineItem/UnblendedCost",
    "lineItem/BlendedRate",
    "lineItem/BlendedCost",
    "lineItem/LineItemDescription",
    "lineItem/TaxType",
    "lineItem/LegalEntity",
    "product/ProductName",
    "product/location",
    "product/operation",
    "product/productFamily",
    "product/region",
    "product/servicecode",
    "product/sku",
    "product/usagetype",
    "pricing/RateCode",
    "pricing/RateId",
    "pricing/currency",
    "pricing/publicOnDemandCost",
    "pricing/publicOnDemandRate",
    "pricing/term",
    "pricing/unit",
    "reservation/AmortizedUpfrontCostForUsage",
    "reservation/EffectiveCost",
    "reservation/EndTime",
    "reservation/RecurringFeeForUsage",
    "reservation/StartTime",
    "reservation/SubscriptionId",
    "reservation/UnusedQuantity",
    "reservation/UnusedRecurringFee",
    "savingsPlan/TotalCommitmentToDate",
    "savingsPlan/SavingsPlanARN",
    "savingsPlan/SavingsPlanRate",
    "savingsPlan/UsedCommitment",
    "savingsPlan/SavingsPlanEffectiveCost",
    "savingsPlan/AmortizedUpfrontCommitmentForBillingPeriod",
    "savingsPlan/RecurringCommitmentForBillingPeriod",
)
TAGS = ("resourceTags/user:Environment", "resourceTags/user:Project")
COLUMNS = ID + TIME + RESOURCE + HOURS + USAGE_OF + AMOUNTS + TAGS
