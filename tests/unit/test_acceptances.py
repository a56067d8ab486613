"""Accepted differences in the ledger, on SQLite and PostgreSQL: exact, in order, and as they were written for ever."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from billing_pipeline.ledger.acceptances import Acceptance, list_acceptances, record_acceptances
from billing_pipeline.schemas.reconciliation import ACCEPTED_DIFFERENCES
from resources.ledger import accepted_frame

ONE = Acceptance(
    source="aws",
    billing_account_id="000111111111",
    billing_period="2026-10",
    currency="USD",
    difference=Decimal("0.123456789012345678"),
    tax_difference=None,
    basis_sha256="a" * 64,
    deliveries=("aws/1/2026-10/x",),
    reason="the vendor corrects it in November",
    who="ann",
    at=datetime(2026, 11, 5, 9, tzinfo=UTC),
)
OTHER = Acceptance(**{**vars(ONE), "billing_period": "2026-11", "difference": None, "tax_difference": Decimal("-1.00")})


def test_acceptances_come_back_with_every_digit_in_the_order_they_were_written(ledger: Engine) -> None:
    with ledger.begin() as connection:
        record_acceptances(connection, [ONE])
        record_acceptances(connection, [OTHER, ONE])
        record_acceptances(connection, [])
    with ledger.connect() as connection:
        found = list_acceptances(connection)
        assert [one for _, one in found] == [ONE, OTHER, ONE]
        assert [number for number, _ in found] == sorted(number for number, _ in found)
        assert [one for _, one in list_acceptances(connection, "2026-11")] == [OTHER]
        frame = accepted_frame(connection)
    ACCEPTED_DIFFERENCES.pandera_schema().validate(frame)
    assert frame["difference"].to_list() == [ONE.difference, None, ONE.difference]


@pytest.mark.parametrize(
    "statement", ["update accepted_differences set reason = 'none'", "delete from accepted_differences"]
)
def test_an_acceptance_is_never_changed_by_anyone(ledger: Engine, statement: str) -> None:
    with ledger.begin() as connection:
        record_acceptances(connection, [ONE])
    with (
        pytest.raises(DBAPIError, match="accepted differences of the ledger are never changed"),
        ledger.begin() as connection,
    ):
        connection.execute(text(statement))
