"""Opening the store: which driver, which pragmas, and what a failing database means to callers."""

import importlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url

from mailflow.config.settings import StoreSettings
from mailflow.model.errors import BadConfig, Lost, StoreUnavailable

SQLITE_FLOOR = (3, 51, 3)
"""SQLite 3.7.0 to 3.51.2 can damage a WAL file that several processes write and checkpoint."""

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
"""What every SQLite connection must answer; synchronous 2 is FULL: a commit is on disk when it returns."""


@dataclass(frozen=True)
class Store:
    """An open store. ``write`` and ``read`` give transactions; all statements live in the modules beside this one."""

    engine: Engine
    path: Path | None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed at the end of the block, rolled back on any exception.

        Raises StoreUnavailable where the database is locked, full, read-only or gone, and Lost where a
        write or fsync failed under it.
        """
        with _outages(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A short reading transaction. Raises StoreUnavailable."""
        with _outages(), self.engine.connect().execution_options(reading=True) as connection:
            yield connection

    def doctor(self) -> list[tuple[str, str]]:
        """Findings about the open store as (level, text); level is ok, warning or error. Raises StoreUnavailable."""
        if self.path is None:
            with self.read() as tx:
                version = tx.exec_driver_sql("SHOW server_version").scalar()
            return [("ok", f"store: PostgreSQL {version} answers")]
        with self.read() as tx:
            return [*_sqlite_findings(tx), *_file_findings(self.path)]

    def close(self) -> None:
        """Gives all connections back."""
        self.engine.dispose()


def open_store(settings: StoreSettings, root: Path) -> Store:
    """Opens the store that the settings name; the schema is not touched (see migrate.upgrade).

    Raises BadConfig for a URL that cannot be used or pragmas that do not hold, StoreUnavailable for one
    that cannot be reached now.
    """
    try:
        url = make_url(settings.url)
    except sa.exc.ArgumentError:
        raise BadConfig("store.url cannot be read; write sqlite:///var/mailflow.db or postgresql://user@host/name") from None
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url, settings, root)
    if url.get_backend_name() == "postgresql":
        return _open_postgres(url, settings)
    raise BadConfig(f"store.url: {url.get_backend_name()} is not supported; use sqlite or postgresql")


def sqlite_module() -> ModuleType:
    """The SQLite driver with the newest SQLite: pysqlite3 where installed, else the standard one."""
    try:
        module = importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return sqlite3
    return module if module.sqlite_version_info >= sqlite3.sqlite_version_info else sqlite3


def _open_sqlite(url: URL, settings: StoreSettings, root: Path) -> Store:
    if not url.database or url.database == ":memory:":
        raise BadConfig("store.url: SQLite needs a file, such as sqlite:///var/mailflow.db")
    module = sqlite_module()
    if module.sqlite_version_info < SQLITE_FLOOR:
        raise BadConfig(
            f"SQLite {module.sqlite_version} can damage its file when several processes write; "
            "install pysqlite3 (pip install pysqlite3) or use PostgreSQL"
        )
    path = root / url.database
    _create_private(path)
    engine = sa.create_engine(
        URL.create("sqlite", database=str(path)),
        module=module,
        connect_args={"timeout": settings.busy_seconds, "check_same_thread": False},
        pool_size=4,
        max_overflow=8,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    store = Store(engine, path)
    _refuse_weak(store, path)
    return store


def _create_private(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailable(f"cannot create {path}: {error.strerror}") from error


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    """Pragmas per connection. Transactions are begun by us, not by the driver's guess."""
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "cache_size=-16000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Writers take the lock at once: a deferred transaction that writes later can fail half-way."""
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _refuse_weak(store: Store, path: Path) -> None:
    """A store that may lose a commit, or that others can read, is not opened."""
    with store.read() as tx:
        wrong = [text for level, text in [*_sqlite_findings(tx), *_file_findings(path)] if level == "error"]
    if wrong:
        raise BadConfig("; ".join(wrong))


def _sqlite_findings(tx: Connection) -> list[tuple[str, str]]:
    version = tx.exec_driver_sql("SELECT sqlite_version()").scalar()
    findings = [("ok", f"store: SQLite {version}, past the WAL fault of 3.51.2 and before")]
    for pragma, wanted in PRAGMAS.items():
        got = tx.exec_driver_sql(f"PRAGMA {pragma}").scalar()
        level = "ok" if got == wanted else "error"
        mend = "" if got == wanted else f"; it must be {wanted}: is the file on a network disk?"
        findings.append((level, f"store: {pragma} = {got}{mend}"))
    return findings


def _file_findings(path: Path) -> list[tuple[str, str]]:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        return [("error", f"store: {path} can be read by others (mode {mode:o}); chmod 600 {path}")]
    return [("ok", f"store: {path} is private (mode {mode:o})")]


def _open_postgres(url: URL, settings: StoreSettings) -> Store:
    url = url.set(drivername="postgresql+psycopg")
    if settings.password is not None:
        url = url.set(password=settings.password.get_secret_value())
    milliseconds = int(settings.busy_seconds * 1000)
    options = f"-c lock_timeout={milliseconds} -c statement_timeout={milliseconds * 4} -c idle_in_transaction_session_timeout=60000"
    engine = sa.create_engine(
        url,
        pool_size=4,
        max_overflow=8,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "options": options, "application_name": f"mailflow-{os.getpid()}"},
    )
    return Store(engine, None)


_WAITING_HELPS = ("locked", "busy", "full", "readonly", "read-only", "unable to open")
_LOST = ("disk I/O error", "malformed", "could not fsync", "could not flush")


@contextmanager
def _outages() -> Iterator[None]:
    """Turns what the database says when it is not well into StoreUnavailable; our own mistakes stay what they are."""
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except sa.exc.TimeoutError as error:
        raise StoreUnavailable("the store does not answer: no free connection") from error
    except sa.exc.DBAPIError as error:
        if "not a database" in str(error.orig):
            raise BadConfig("store.url names a file that is no SQLite database; move it away or name another") from error
        if any(word in str(error.orig) for word in _LOST):
            raise Lost(f"the store failed: {_one_line(error)}") from error
        # To psycopg an OperationalError is the server's trouble; SQLite's driver uses it for our mistakes as well.
        server = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) and type(error.orig).__module__.startswith("psycopg")
        if server:
            raise StoreUnavailable(f"the store does not answer: {_one_line(error)}") from error
        if error.connection_invalidated or any(word in str(error.orig) for word in _WAITING_HELPS):
            raise StoreUnavailable(f"the store does not answer: {_one_line(error)}") from error
        raise


def _one_line(error: Exception) -> str:
    """The driver's own words, without the statement and its parameters (they hold people's data)."""
    orig = getattr(error, "orig", None)
    return (str(orig if orig is not None else error).splitlines() or [type(error).__name__])[0][:200]
