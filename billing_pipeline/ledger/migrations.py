"""From any older schema of the ledger, or none, to the present one, in the transaction that is given.

What does not belong here: the present schema (`ledger.tables`), the steps (`ledger.revisions`).
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from billing_pipeline.errors import BillingError
from billing_pipeline.ledger.locks import take_turn
from billing_pipeline.ledger.tables import SCHEMA_VERSION

_REVISIONS = Path(__file__).resolve().parent / "revisions"
# The first two revisions were counted by this program itself.
_COUNTED = {1: "0001", 2: "0002"}


class CannotMigrate(BillingError):
    """There is no way from this ledger's schema to the present one."""


def schema_version(connection: Connection) -> str | None:
    """Return the revision of a ledger's schema; None for a database without ledger."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" in tables:
        return connection.execute(text("select version_num from alembic_version")).scalar_one_or_none()
    if "schema_version" in tables:
        counted = connection.scalar(text("select version from schema_version"))
        return None if counted is None else _COUNTED.get(counted, str(counted))
    return None


def migrate(connection: Connection) -> None:
    """Bring a ledger to the present schema, or make one in an empty database.

    Args:
        connection: a transaction that may write.

    Raises:
        CannotMigrate: the ledger is newer than this program, or holds what the present schema has no place for.
    """
    # Costs more to import than all else of the ledger, and most commands find it up to date.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    # Read under the lock: another process may just have done the same.
    take_turn(connection, "migrations")
    version = schema_version(connection)
    if version == SCHEMA_VERSION:
        return
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_REVISIONS).replace("%", "%%"))
    known = [revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()]
    if version is not None and version not in known:
        raise CannotMigrate(f"this program works with {SCHEMA_VERSION}; it was written by a newer one")
    if version in _COUNTED.values() and not inspect(connection).has_table("alembic_version"):
        command.stamp(config, str(version))
    command.upgrade(config, "head")
