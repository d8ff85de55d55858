"""Bringing the schema to the present, one step after the other, each in a transaction."""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mailflow.store.engine import Store

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig

NEWEST = "0002"
"""The version this program was written for; a test compares it with the last file in migrations/versions."""


def upgrade(store: Store) -> None:
    """Takes the schema to the newest version; does nothing where it is there already.

    Safe to run from several processes at once. Raises StoreUnavailable.
    """
    if current(store) == NEWEST:
        return
    # Imported here: a third of a second that only the first start after an installation needs.
    from alembic import command  # noqa: PLC0415

    try:
        with store.write() as tx:
            config = _config()
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
    except sa.exc.DBAPIError:
        # Two processes started at once: PostgreSQL lets only one of them create the tables.
        if current(store) != NEWEST:
            raise


def current(store: Store) -> str | None:
    """The version the schema is at, ``None`` for an empty store. Raises StoreUnavailable."""
    with store.read() as tx:
        if not sa.inspect(tx).has_table("alembic_version"):
            return None
        return str(tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def _config() -> "AlembicConfig":
    from alembic.config import Config  # noqa: PLC0415  # see upgrade

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
