import re
import tomllib
from collections.abc import Iterator

import pytest
import typer

from referral_bus._cli import build, run
from referral_bus._cli.command import EXITS
from referral_bus._cli.world import Identity, World
from referral_bus.transport import Connect
from tests.sdk.cli.terminal import EXAMPLES, Terminal, type_alone


def commands() -> Iterator[tuple[str, ...]]:
    def walk(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*path, name))
        if not hasattr(command, "commands"):
            yield path

    yield from walk(typer.main.get_command(build()), ())


@pytest.mark.parametrize("path", tuple(commands()), ids=" ".join)
def test_each_command_tells_its_fields_and_exit_codes(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    ended, out, err = type_alone(capsys, *path, "--help")
    words = " ".join(out.split())

    assert (ended, err) == (0, "")
    assert type_alone(capsys, *path, "-h") == (0, out, "")
    assert "With --json: " in words
    assert EXITS in words


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((EXAMPLES.parent / "pyproject.toml").read_text())["project"]

    assert type_alone(capsys, "--version") == (0, f"referral-bus {project['version']}\n", "")


@pytest.mark.parametrize("group", [(), *sorted({path[:-1] for path in commands() if path[1:]})], ids=" ".join)
def test_each_group_tells_its_commands(group: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    ended, out, err = type_alone(capsys, *group, "-h")

    assert (ended, err) == (0, "")
    assert "Commands:" in out
    assert type_alone(capsys, *group, "--help") == (0, out, "")


def test_without_a_word_it_tells_what_it_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    ended, out, _ = type_alone(capsys)

    assert ended == 0
    assert "REFERRAL_BUS_HOME" in out


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("chek file.json", "no such command 'chek'. Did you mean 'check'?"),
        ("check", "missing argument 'FILE'"),
        ("check --colour always", "no such option: --colour"),
        ("keys", "missing command"),
        ("keys make --out keys.json", "missing option '--agency'"),
        ("directory renew --every 7200 --lifetime 1", "--every is longer than --lifetime"),
        ("directory renew --lifetime never", "invalid value for '--lifetime'"),
        ("directory renew --lifetime 0", "invalid value for '--lifetime'"),
        ("send offer --case 0 --to cong-an", "--to takes AGENCY=FILE[,FILE...]"),
        ("send offer --case 0 --to =note.json", "--to takes AGENCY=FILE[,FILE...]"),
        ("send offer --case 0 --to cong-an=a.json,,b.json", "--to takes AGENCY=FILE[,FILE...]"),
        ("send offer --case 0", "missing option '--to'"),
        (f"send transfer --case 0 --to xa={EXAMPLES}/note.json --to b={EXAMPLES}/note.json", "offered to one agency"),
    ],
)
def test_a_slip_is_named_in_one_line(typed: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    ended, out, err = type_alone(capsys, *typed.split())

    assert (ended, out) == (2, "")
    first, *hints = err.splitlines()
    assert re.match(r"referral-bus: error: [^A-Z]", first)
    assert told in first
    assert not first.endswith(".")
    assert all(hint.startswith("referral-bus: hint: ") for hint in hints)


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ("check", "referral-bus check --help"),
        ("clocks list", "referral-bus clocks --help"),
        ("send offer --case 0", "referral-bus send offer --help"),
        ("chek", "referral-bus --help lists the commands"),
    ],
)
def test_a_slip_is_told_where_that_command_is_explained(
    typed: str, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"referral-bus: hint: {where}" in type_alone(capsys, *typed.split())[2]


def test_each_setting_can_come_from_the_environment(terminal: Terminal) -> None:
    values = {
        "agency": "registrar",
        "root": "registrar/root.json",
        "trust": "registrar/trust.json",
        "bootstrap": "registrar:9092",
    }
    environ = {f"REFERRAL_BUS_{name.upper()}": value for name, value in values.items()}
    terminal.environ.update(environ)
    assert terminal.type("directory", "renew")[0] == 0

    for name, value in values.items():
        terminal.environ.clear()
        terminal.environ.update({key: told for key, told in environ.items() if key != f"REFERRAL_BUS_{name.upper()}"})

        # Without it: wrong usage, which names it. With the option: as before.
        ended, _, err = terminal.type("directory", "renew")
        assert ended == 2
        assert f"no --{'keys' if name == 'agency' else name} is given" in err
        assert terminal.type("directory", "renew", f"--{name}", value)[0] == 0


def test_keys_of_another_agency_are_not_taken(terminal: Terminal) -> None:
    ended, _, err = terminal.type("status", "--home", "cong-an", "--keys", "benh-vien/keys.json")

    assert ended == 2
    assert "the keys in benh-vien/keys.json are benh-vien's, and who speaks is to be cong-an" in err
    assert "agency in bus.toml tells who speaks" in err


@pytest.mark.parametrize("content", ["agency = ", 'agencey = "cong-an"', "agency = 1", "[agency]"])
def test_a_slip_in_the_folder_is_named(content: str, terminal: Terminal) -> None:
    (terminal.folder / "cong-an" / "bus.toml").write_text(content)

    ended, _, err = terminal.type("directory", "show", "--home", "cong-an")

    assert ended == 2
    assert "cong-an/bus.toml" in err


def test_a_fault_of_ours_tells_where_it_is_and_nothing_of_what_it_met(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    def connect(_bootstrap: str, _identity: Identity) -> Connect:
        raise ValueError("Trần Thị Ví Dụ")

    world = terminal.world()
    broken = World(environ=world.environ, connect=connect, clock=world.clock, run=world.run)
    ended = run(["directory", "show", "--home", "cong-an", "--json"], broken)
    written = capsys.readouterr()

    assert ended == 70
    assert re.fullmatch(r"referral-bus: error: internal: ValueError at cli/test_arguments.py:\d+\n", written.err)
    assert "Ví Dụ" not in written.out
    assert '"error": "internal"' in written.out
