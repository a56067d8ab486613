"""Columns of the two Microsoft partner reports, in the order of the files (Partner Center documentation)."""

# ruff: noqa: SIM905 a column is a word
NCE_COLUMNS = tuple(
    """
    PartnerId CustomerId CustomerName CustomerDomainName CustomerCountry InvoiceNumber MpnId ResellerMpnId OrderId
    OrderDate ProductId SkuId AvailabilityId SkuName ProductName ChargeType UnitPrice Quantity Subtotal TaxTotal Total
    Currency PriceAdjustmentDescription PublisherName PublisherId SubscriptionDescription SubscriptionId ChargeStartDate
    ChargeEndDate TermAndBillingCycle EffectiveUnitPrice UnitType AlternateId BillableQuantity BillingFrequency
    PricingCurrency PCToBCExchangeRate PCToBCExchangeRateDate MeterDescription ReservationOrderId CreditReasonCode
    SubscriptionStartDate SubscriptionEndDate ReferenceId ProductQualifiers PromotionId
    """.split()
)
DAILY_COLUMNS = tuple(
    """
    PartnerId PartnerName CustomerId CustomerName CustomerDomainName CustomerCountry MpnId Tier2MpnId InvoiceNumber
    ProductId SkuId AvailabilityId SkuName ProductName PublisherName PublisherId SubscriptionDescription SubscriptionId
    ChargeStartDate ChargeEndDate UsageDate MeterType MeterCategory MeterId MeterSubCategory MeterName MeterRegion Unit
    ResourceLocation ConsumedService ResourceGroup ResourceURI ChargeType UnitPrice Quantity UnitType BillingPreTaxTotal
    BillingCurrency PricingPreTaxTotal PricingCurrency ServiceInfo1 ServiceInfo2 Tags AdditionalInfo EffectiveUnitPrice
    PCToBCExchangeRate PCToBCExchangeRateDate EntitlementId EntitlementDescription PartnerEarnedCreditPercentage
    CreditPercentage CreditType BenefitOrderId BenefitId BenefitType
    """.split()
)
NUMBERS = frozenset(
    """
    UnitPrice Quantity Subtotal TaxTotal Total EffectiveUnitPrice BillableQuantity PCToBCExchangeRate BillingPreTaxTotal
    PricingPreTaxTotal PartnerEarnedCreditPercentage CreditPercentage
    """.split()
)
