"""Opening a store: pragmas that hold, drivers that are safe, outages that are told apart."""

import sqlite3
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from stores import keep, opened

from mailflow.config.settings import StoreSettings
from mailflow.model.errors import BadConfig, StoreUnavailable
from mailflow.store import engine, migrate
from mailflow.store.engine import open_store
from mailflow.store.schema import metadata

SQLITE = "sqlite:///var/m.db"


def test_the_migrations_lead_to_exactly_the_tables_of_the_schema(store_url: str, tmp_path: Path) -> None:
    with opened(store_url, tmp_path) as store, store.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_changes_nothing(store_url: str, tmp_path: Path) -> None:
    with opened(store_url, tmp_path) as store:
        migrate.upgrade(store)
        assert migrate.current(store) == migrate.NEWEST


def test_sqlite_answers_the_pragmas_we_promise(tmp_path: Path) -> None:
    with opened(SQLITE, tmp_path) as store:
        assert [level for level, _ in store.doctor()] == ["ok"] * 6


def test_the_store_is_private(tmp_path: Path) -> None:
    with opened(SQLITE, tmp_path):
        for file in (tmp_path / "var").iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
        assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


@pytest.mark.case(149)
def test_a_store_that_others_can_read_is_an_error_with_its_mend(tmp_path: Path) -> None:
    with opened(SQLITE, tmp_path) as store:
        (tmp_path / "var" / "m.db").chmod(0o644)
        assert any(level == "error" and "chmod 600" in text for level, text in store.doctor())


@pytest.mark.case(150)
def test_an_sqlite_that_can_damage_its_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "sqlite_module", lambda: sqlite3)
    monkeypatch.setattr(engine, "SQLITE_FLOOR", (99, 0, 0))
    with pytest.raises(BadConfig, match="install pysqlite3"):
        open_store(StoreSettings(url=SQLITE), tmp_path)


WRONG = {
    "in memory": "sqlite://",
    "another database": "mysql://localhost/x",
    "no URL": "what is this",
}


@pytest.mark.parametrize("url", WRONG.values(), ids=WRONG)
def test_a_url_that_cannot_be_used_is_a_config_error(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"store\.url"):
        open_store(StoreSettings(url=url), tmp_path)


@pytest.mark.fault("db-locked")
def test_a_locked_store_is_temporary(tmp_path: Path) -> None:
    with opened(SQLITE, tmp_path, busy_seconds=0.1) as store, store.write(), pytest.raises(StoreUnavailable):
        keep(store)


@pytest.mark.fault("db-gone")
def test_a_store_that_is_away_is_temporary(tmp_path: Path) -> None:
    store = open_store(StoreSettings(url="postgresql://nobody@127.0.0.1:1/none"), tmp_path)
    with pytest.raises(StoreUnavailable), store.read():
        pass


@pytest.mark.fault("db-read-only")
def test_a_read_only_store_is_temporary(tmp_path: Path) -> None:
    with opened(SQLITE, tmp_path) as store:
        with store.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")
        with pytest.raises(StoreUnavailable):
            keep(store)


def test_a_mistake_of_ours_is_not_called_an_outage(store_url: str, tmp_path: Path) -> None:
    with opened(store_url, tmp_path) as store, pytest.raises(sa.exc.DBAPIError), store.write() as tx:
        tx.exec_driver_sql("SELECT nothing FROM nowhere")


def _write_and_fail(tx: sa.Connection) -> None:
    tx.exec_driver_sql("INSERT INTO facts VALUES ('a', 'b')")
    raise RuntimeError


def test_a_failed_block_leaves_nothing_behind(store_url: str, tmp_path: Path) -> None:
    with opened(store_url, tmp_path) as store:
        with pytest.raises(RuntimeError), store.write() as tx:
            _write_and_fail(tx)
        with store.read() as tx:
            assert tx.exec_driver_sql("SELECT count(*) FROM facts").scalar_one() == 0


def test_the_program_knows_the_newest_step() -> None:
    steps = Path(migrate.__file__).parent / "migrations" / "versions"
    assert max(file.name for file in steps.glob("v*.py")).startswith(f"v{migrate.NEWEST}_")
