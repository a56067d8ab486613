"""What a run may say about the daily files of customer charges; without a word `billing.toml` decides."""

from collections.abc import Mapping

from dagster import Config
from pydantic import Field, field_validator

from billing_pipeline.charges.request import View, check_wish, choose_view


class ChargesExportConfig(Config):
    """Options of `customer_charges_export`, those of `billing charges export`; each is checked before a file is made.

    Attributes:
        view: `[views.NAME]` of billing.toml; None for `default`, if there is one. The others replace its keys.
    """

    view: str | None = Field(default=None, description="[views.NAME] of billing.toml; without it `default`, if any.")
    columns: list[str] | None = Field(default=None, description="Headers or snake_case names, in order.")
    where: str | None = Field(default=None, description="Filter expression.")
    filters: list[str] | None = Field(default=None, description="Filters of one column each, such as Type=Debit.")
    sort: str | None = Field(default=None, description="Columns to sort by, such as Customer,Quantity:desc.")
    formats: list[str] | None = Field(default=None, description="Of xlsx, csv, parquet; all three if nothing is said.")

    _can_be_read = field_validator("columns", "where", "filters", "sort", "formats")(check_wish)

    def chosen_view(self, views: Mapping[str, View]) -> View:
        """Return the view with what the run says in the place of its own.

        Raises:
            ExportInvalid: there is no such view.
        """
        given = {
            "columns": None if self.columns is None else tuple(self.columns),
            "where": self.where,
            "filters": None if self.filters is None else tuple(self.filters),
            "sort": self.sort,
            "formats": None if self.formats is None else tuple(self.formats),
        }
        wishes = View.model_validate({name: value for name, value in given.items() if value is not None})
        return choose_view(views, self.view).with_wishes(wishes)
