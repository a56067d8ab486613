"""The clock: the one place where resources ask what time it is, so that a test can set it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return this instant, in UTC, to the microsecond."""
    return datetime.now(UTC)
