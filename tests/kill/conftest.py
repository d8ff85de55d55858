"""Every kill point is pulled over SQLite each time; over PostgreSQL three of them each time, and the rest by `make long`."""

from collections.abc import Iterator

import pytest
from service import close_all

EACH_TIME = {"K06", "K11", "K15"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the PostgreSQL half as long, but for one point of each process."""
    for item in items:
        params = getattr(item, "callspec", None)
        if params is None or params.params.get("store_url") != "postgresql" or "kill" not in item.nodeid:
            continue
        if not any(f"{point}]" in item.nodeid for point in EACH_TIME):
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def _stores_are_closed() -> Iterator[None]:
    """Whatever a test looked at is closed when it ends."""
    yield
    close_all()
