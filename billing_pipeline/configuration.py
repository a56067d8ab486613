"""What `billing.toml` may say: the organisation, its sources, its ledger.

Unknown keys are errors that name them. What does not belong here: finding or reading the file
(`resources.workspace`), the reference files (`billing_pipeline.reference`).
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from billing_pipeline.charges.request import View
from billing_pipeline.mail_settings import MailSettings
from billing_pipeline.money import UnknownCurrency, minor_units

FileFormat = Literal[
    "focus",
    "aws_cur",
    "aws_cur2",
    "aws_dbr",
    "ms_nce",
    "ms_daily",
    "azure_costs",
    "gcp_reseller",
    "distributor_invoice",
]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_currency(code: str) -> str:
    try:
        minor_units(code)
    except UnknownCurrency as error:
        # Pydantic gathers ValueErrors with their keys; any other error would leave without naming its key.
        raise ValueError(str(error)) from error
    return code


class Organisation(_Strict):
    """The reseller: who it is, its zone, its base currency, and when its modules began."""

    id: Identifier
    name: Annotated[str, Field(min_length=1)]
    time_zone: str
    currency: str
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    charges_start_on: date
    standard_edition_since: date
    show_invoice_numbers: bool = True
    invoice_link: str | None = None
    logo: str | None = None
    address: str | None = None
    email: str | None = None
    phone: str | None = None
    tax_id: str | None = None
    payment_terms_days: Annotated[int, Field(ge=0)] = 30
    invoice_series: str = "INV"

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is no IANA time zone")
        return name

    _currency = field_validator("currency")(_known_currency)

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone."""
        return ZoneInfo(self.time_zone)


class Source(_Strict):
    """One vendor feed: its format, its folder and how exact its totals must be.

    Attributes:
        stable_after_seconds: a file modified more recently than this waits for the next run; None takes it as soon as
            it stands still for a moment.
        requires_checksum: whether a file without a checksum file that fits it waits for one.
        invoiced_through: the source of the distributor whose invoices bill what this feed itemises; None if the vendor
            bills it. Nothing of such a feed is charged on: its cost is on the distributor's invoices.
    """

    id: Identifier
    format: FileFormat
    vendor: Annotated[str, Field(min_length=1)]
    settles_after_business_days: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] = (5, 15)
    folder: str | None = None
    tolerance: Decimal = Decimal(0)
    currency: str | None = None
    stable_after_seconds: Annotated[int, Field(ge=0)] | None = None
    requires_checksum: bool = False
    invoiced_through: str | None = None

    @field_validator("tolerance", mode="before")
    @classmethod
    def _tolerance_is_text(cls, value: object) -> object:
        if isinstance(value, float):
            raise ValueError('write the tolerance as text, for example "0.01": a TOML float is not exact')
        return value

    @field_validator("currency")
    @classmethod
    def _currency_exists(cls, code: str | None) -> str | None:
        return None if code is None else _known_currency(code)

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.settles_after_business_days[0] > self.settles_after_business_days[1]:
            raise ValueError("settles_after_business_days: the first number must not exceed the second")
        return self

    @property
    def landing_folder(self) -> str:
        """Folder of the source's files, relative to the workspace."""
        return self.folder or f"landing/{self.id}"


class LedgerSettings(_Strict):
    """Where documents, numbers and events are kept."""

    url: str = "sqlite:///ledger.db"


class DocumentSettings(_Strict):
    """Templates of the reseller's own, relative to the workspace; None takes those that come along."""

    html_template: str | None = None
    typst_template: str | None = None


class WorkspaceConfig(_Strict):
    """The whole of `billing.toml`."""

    organisation: Organisation
    sources: tuple[Source, ...] = ()
    ledger: LedgerSettings = LedgerSettings()
    documents: DocumentSettings = DocumentSettings()
    mail: MailSettings | None = None
    views: dict[Identifier, View] = {}

    @model_validator(mode="after")
    def _sources_differ(self) -> Self:
        ids = [source.id for source in self.sources]
        repeated = sorted({name for name in ids if ids.count(name) > 1})
        if repeated:
            raise ValueError(f"source id used twice: {', '.join(repeated)}")
        return self

    @model_validator(mode="after")
    def _invoiced_through_a_distributor(self) -> Self:
        formats = {source.id: source.format for source in self.sources}
        for source in self.sources:
            distributor = source.invoiced_through
            if distributor is None:
                continue
            where = f"source {source.id}: invoiced_through = {distributor!r}"
            if source.format == "distributor_invoice":
                raise ValueError(f"{where}: its files are invoices themselves, only a feed can be invoiced through one")
            if distributor not in formats:
                raise ValueError(f"{where} names no source; there are {', '.join(formats)}")
            if formats[distributor] != "distributor_invoice":
                raise ValueError(
                    f"{where} must name a source of format distributor_invoice, that one is {formats[distributor]}"
                )
        return self

    @property
    def invoiced_through(self) -> dict[str, str]:
        """The distributor's source by the id of each feed that merely itemises that distributor's invoices."""
        return {source.id: source.invoiced_through for source in self.sources if source.invoiced_through is not None}

    def source(self, source_id: str) -> Source:
        """Return the source with this id.

        Raises:
            KeyError: there is none.
        """
        for source in self.sources:
            if source.id == source_id:
                return source
        raise KeyError(source_id)
