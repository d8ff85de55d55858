"""Whole runs of the program take their time: over PostgreSQL they are for `make long`, but for the random kills."""

from collections.abc import Iterator

import pytest
from service import close_all


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the PostgreSQL half as long where SQLite tells as much."""
    for item in items:
        params = getattr(item, "callspec", None)
        if params is not None and params.params.get("store_url") == "postgresql" and "three_ways" in item.nodeid:
            item.add_marker(pytest.mark.long)


@pytest.fixture(autouse=True)
def _stores_are_closed() -> Iterator[None]:
    """Whatever a test looked at is closed when it ends."""
    yield
    close_all()
