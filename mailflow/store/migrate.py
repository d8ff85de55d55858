"""Bringing the schema to the present, one step after the other, each in a transaction."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from mailflow.model.errors import BadConfig
from mailflow.store.engine import Store


def upgrade(store: Store) -> None:
    """Takes the schema to the newest version; does nothing where it is there already.

    Safe to run from several processes at once. Raises StoreUnavailable.
    """
    if current(store) == newest():
        return
    try:
        with store.write() as tx:
            config = _config()
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
    except sa.exc.DBAPIError:
        # Two processes started at once: PostgreSQL lets only one of them create the tables.
        if current(store) != newest():
            raise


def current(store: Store) -> str | None:
    """The version the schema is at, ``None`` for an empty store. Raises StoreUnavailable."""
    with store.read() as tx:
        return MigrationContext.configure(tx).get_current_revision()


def newest() -> str:
    """The version this program was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise BadConfig("the migrations are missing from this installation; install mailflow again")
    return head


def _config() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
