"""An open store for a test, and mails to put into it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mailflow.config.settings import StoreSettings
from mailflow.model.mail import Envelope
from mailflow.store import mails, migrate
from mailflow.store.engine import Store, open_store

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)


@contextmanager
def opened(url: str, root: Path, busy_seconds: float = 8.0) -> Iterator[Store]:
    """A store at ``url`` with the present schema, closed at the end."""
    store = open_store(StoreSettings(url=url, busy_seconds=busy_seconds), root)
    try:
        migrate.upgrade(store)
        yield store
    finally:
        store.close()


def new_mail(raw: bytes = b"From: ann@foo.example\r\n\r\nI endorse.\r\n", campaign: str | None = "delta") -> mails.NewMail:
    """A mail that is about to be kept."""
    envelope = Envelope("smtp", "ann@foo.example", ("endorse@delta.example",), "127.0.0.1", "foo.example")
    return mails.NewMail(raw, hashlib.sha256(raw).hexdigest(), envelope, campaign, NOW)


def keep(store: Store, *raws: bytes) -> list[int]:
    """Keeps mails and returns their ids."""
    with store.write() as tx:
        return mails.keep(tx, [new_mail(raw) for raw in raws or (new_mail().raw,)])
