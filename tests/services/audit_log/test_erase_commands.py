"""What two agencies type to have a case erased, each with its own keys, and what the running log makes of it."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from audit_log.core.limiting import Allowance
from audit_log.folder import Folder
from audit_log.receipts import Receipts
from audit_log.stating import stating
from audit_log.web import web
from referral_bus._cli import run
from referral_bus._cli.world import World
from referral_bus._http_statements import HttpStatements
from referral_bus.erasure import StatementTransport
from referral_bus.testing import Clock
from tests.sdk.cli.terminal import nowhere
from tests.services.audit_log.erased import REGISTRAR, WAIT_DAYS, Erasing
from tests.stories.world import HOTLINE, WARD, keys

GROUND = "Luật 91/2025/QH15"


class Typed:
    """The agencies' machines, and the log that they reach."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.case, self.home, self._capsys = Erasing(home), home, capsys
        for name in (WARD, HOTLINE, REGISTRAR):
            (home / name).mkdir()
            keys()[name].save(home / name / "keys.json")
            (home / name / "trust.json").write_bytes(self.case.world.simulator.root.encode())
            (home / name / "bus.toml").write_text('log = "http://log"\n')
        self.away = False

    def types(self, agency: str, *words: object) -> tuple[int, str, str]:
        clock = Clock()
        clock.wind((self.case.now_ms - clock.now_ms()) / 1000)
        environ = {"REFERRAL_BUS_HOME": str(self.home / agency)}
        world = World(environ=environ, connect=nowhere, clock=clock, open_statements=self._open, run=asyncio.run)
        with self.case.asking() as asking:
            routers = [stating(asking, Allowance(1000, 1000), lambda _: None)]
            folder = Folder(self.home / "tiles")
            receipts = Receipts(folder, lambda: None, self.case.desk.note_key)
            self._app = web(folder, receipts, Allowance(1000, 1000), lambda _: None, routers)
            self._capsys.readouterr()
            code = run([str(word) for word in words], world)
            folder.close()
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def _open(self, url: str) -> StatementTransport:
        def away(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("away", request=request)

        return HttpStatements(url, httpx.MockTransport(away) if self.away else httpx.ASGITransport(self._app))

    def request(self, *signers: str) -> Path:
        path = self.home / "request.json"
        assert self.types(WARD, "erase", "draft", "--case", self.case.case, "--ground", GROUND, "--out", path)[0] == 0
        for name in signers:
            assert self.types(name, "erase", "sign", path)[0] == 0
        return path


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    return Typed(tmp_path, capsys)


def test_a_request_is_drafted_signed_by_two_submitted_and_carried_out(typed: Typed) -> None:
    path = typed.request(WARD, REGISTRAR)
    code, out, _ = typed.types(REGISTRAR, "erase", "submit", path, "--json")
    assert (code, json.loads(out)["kind"]) == (0, "erasure-asked")
    assert typed.types(WARD, "erase", "submit", path, "--json")[1] == out

    assert json.loads(typed.types(WARD, "erase", "list", path, "--json")[1])["state"] == "waits"
    typed.case.wait(WAIT_DAYS)
    assert typed.case.run() == [None]
    told = json.loads(typed.types(WARD, "erase", "list", path, "--json")[1])
    assert (told["state"], told["by"] > told["leaf"]) == ("erased", True)
    typed.case.verify()


def test_what_is_signed_is_shown_to_who_signs(typed: Typed) -> None:
    path = typed.request(WARD)
    code, out, err = typed.types(REGISTRAR, "erase", "sign", path)

    assert (code, f"{path} is written" in err) == (0, True)
    assert all(text in out for text in (typed.case.case, GROUND, "erasure-asked"))
    assert typed.types(REGISTRAR, "erase", "sign", path)[0] == 2
    assert "repeated-key" in typed.types(WARD, "erase", "sign", path)[2]
    assert "too-many" in typed.types(HOTLINE, "erase", "sign", path)[2]


def test_what_is_refused_is_told_by_its_code(typed: Typed) -> None:
    code, _, err = typed.types(HOTLINE, "erase", "submit", typed.request(HOTLINE, REGISTRAR))

    assert (code, "error: not-found: " in err) == (1, True)
    assert "not-enough-signatures" in typed.types(WARD, "erase", "submit", typed.request(WARD))[2]


def test_a_hold_stands_until_it_is_lifted(typed: Typed) -> None:
    hold, lift, case = typed.home / "hold.json", typed.home / "lift.json", ("--case", typed.case.case)
    assert typed.types(REGISTRAR, "erase", "hold", *case, "--ground", "điều tra", "--out", hold)[0] == 0
    leaf = json.loads(typed.types(REGISTRAR, "erase", "submit", hold, "--json")[1])["leaf"]
    path = typed.request(WARD, REGISTRAR)
    assert "error: held: " in typed.types(WARD, "erase", "submit", path)[2]

    words = ("--hold", leaf, "--ground", "xong", "--out", lift)
    assert typed.types(REGISTRAR, "erase", "lift", *case, *words)[0] == 0
    assert typed.types(REGISTRAR, "erase", "submit", lift)[0] == 0
    assert json.loads(typed.types(REGISTRAR, "erase", "list", hold, "--json")[1])["state"] == "lifted"
    assert typed.types(WARD, "erase", "submit", path)[0] == 0


def test_without_the_log_nothing_is_known_and_once_more_does_no_harm(typed: Typed) -> None:
    path = typed.request(WARD, REGISTRAR)
    typed.away = True
    assert typed.types(WARD, "erase", "submit", path)[0] == 3
    typed.away = False

    assert typed.types(WARD, "erase", "submit", path)[0] == 0


def test_what_is_no_statement_is_refused_here(typed: Typed) -> None:
    other = typed.home / "other"
    other.write_text("hello")

    assert "malformed-value" in typed.types(WARD, "erase", "sign", other)[2]
    assert "no-such-file" in typed.types(WARD, "erase", "submit", typed.home / "gone")[2]
    words = ("--ground", GROUND, "--out", other)
    assert "malformed-value" in typed.types(WARD, "erase", "draft", "--case", "x", *words)[2]
    (typed.home / WARD / "bus.toml").unlink()
    assert typed.types(WARD, "erase", "submit", typed.request(WARD))[0] == 2
