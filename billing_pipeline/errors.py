"""Errors that a user can act on; every one names what is wrong and where.

What does not belong here: programming errors (assertions, TypeError). Those stay what they are.
"""

from dataclasses import dataclass


class BillingError(Exception):
    """Base of every error that is shown to a user as one line, without a traceback."""


class WrongUsage(BillingError):
    """A command was asked for in a way that cannot be followed; it exits with 2, before anything is done."""


class ConfigurationInvalid(BillingError):
    """`billing.toml` or a command's options cannot be used as they are."""


@dataclass
class BadInput(BillingError):
    """A vendor's file cannot be taken whole; it goes to the quarantine with this reason.

    Attributes:
        file: name of the file, relative to its source's landing folder.
        reason: what is wrong, one sentence.
        row: number of the data row, 1 is the first below the header; None when no single row is to blame.
        column: the vendor's own column name, or None.
        value: the offending text as it stands in the file, or None.
    """

    file: str
    reason: str
    row: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        where = "".join(
            f", {name} {value}"
            for name, value in (("row", self.row), ("column", self.column), ("value", self.value))
            if value is not None
        )
        return f"{self.file}{where}: {self.reason}"


@dataclass
class ReferenceInvalid(BillingError):
    """The reference files do not form a usable set; it is refused whole.

    Attributes:
        problems: one sentence each, naming file, row, column and value.
    """

    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.problems)
