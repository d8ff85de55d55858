"""The present. Everything below the jobs gets it as an argument."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def system_now() -> datetime:
    """The present in UTC."""
    return datetime.now(UTC)


def clock() -> Callable[[], datetime]:
    """The clock of this process: the system's, shifted by MAILFLOW_CLOCK_OFFSET seconds where that is set.

    Tests and the demo live on another day by it; a service never sets it (`mailflow check` says so).
    """
    offset = os.environ.get("MAILFLOW_CLOCK_OFFSET")
    if not offset:
        return system_now
    shift = timedelta(seconds=float(offset))
    return lambda: datetime.now(UTC) + shift
