"""What a person types on the log's host to erase, and what the settings say of how long bytes live."""

import json
from pathlib import Path

import pytest

from audit_log.core.lives import FOR_EVER, Lives, lives, longest, on_the_bus
from audit_log.erasing import main
from referral_contracts.encoding import b64
from referral_contracts.keys import SigningKey
from tests.services.audit_log.erased import WAIT_DAYS, Erasing
from tests.stories.logged import LOG_KEY, ORIGIN
from tests.stories.world import HOTLINE, WARD, keys


class Host:
    """The log's host, and the two agencies' keys."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.case, self.home, self._capsys = Erasing(home), home, capsys
        self.key("log", LOG_KEY)
        for name in (WARD, HOTLINE, "registrar"):
            self.key(name, keys()[name].signing)
        (home / "trust").write_bytes(self.case.world.simulator.root.encode())
        told = {
            "BOOTSTRAP": "127.0.0.1:1",
            "TRUST": str(home / "trust"),
            "LOG_KEY": str(home / "log.key"),
            "LOG_STORE": self.case.url,
            "LOG_TILES": str(home / "tiles"),
            "LOG_ORIGIN": ORIGIN,
            "LOG_DUE_DAYS": "30",
        }
        for name, value in told.items():
            monkeypatch.setenv(f"REFERRAL_BUS_{name}", value)

    def key(self, name: str, key: SigningKey) -> None:
        path = self.home / f"{name}.key"
        path.write_text(json.dumps({"agency": name, "signing": b64(key.to_seed())}))
        path.chmod(0o600)

    def types(self, *words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words], lambda: self.case.now_ms)
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def request(self, *signers: str) -> Path:
        path = self.home / "request"
        code, out, _ = self.types("draft", "--case", self.case.case, "--ground", "Luật 91/2025")
        assert code == 0
        path.write_text(out)
        for name in signers:
            assert self.types("sign", self.home / f"{name}.key", path)[0] == 0
        return path


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Host:
    return Host(tmp_path, monkeypatch, capsys)


def test_a_request_is_drafted_signed_asked_listed_and_carried_out(host: Host) -> None:
    code, out, _ = host.types("ask", host.request(WARD, "registrar"))
    assert (code, out.startswith("logged as leaf ")) == (0, True)

    assert "too-early, not before " in host.types("list")[1]
    assert host.types("run")[0] == 1
    host.case.wait(WAIT_DAYS)
    assert "40 leaves would be erased" in host.types("run", "--dry-run")[1]
    host.case.verify()
    assert "40 leaves erased" in host.types("run")[1]
    assert host.types("list") == (0, "", "")
    host.case.verify()


def test_what_is_refused_is_told_by_its_code(host: Host) -> None:
    code, _, err = host.types("ask", host.request(HOTLINE, "registrar"))

    assert code == 1
    assert "wrong-party" in err


def test_what_is_no_statement_is_refused(host: Host) -> None:
    (host.home / "other").write_text("hello")

    assert host.types("ask", host.home / "other")[0] == 2
    assert "no-such-file" in host.types("ask", host.home / "gone")[2]
    assert "malformed-value" in host.types("draft", "--case", "x", "--ground", "y")[2]


def test_while_the_service_runs_nothing_is_erased(host: Host) -> None:
    with host.case.opened():
        code, _, err = host.types("run")

    assert code == 2
    assert "log-busy" in err


def test_what_is_due_is_listed(host: Host) -> None:
    assert host.types("due") == (0, "", "")
    host.case.wait(31)

    code, out, _ = host.types("due")
    assert (code, host.case.case in out, f"owner {WARD}" in out) == (0, True, True)


def test_how_long_bytes_live_is_printed(host: Host) -> None:
    _, out, _ = host.types("lives")

    assert "referral.ledger (Kafka): 30 days after" in out
    assert "referral.state (Kafka): 2 days after its service put the case away" in out
    assert "log store: 44 days after the case ended" in out
    assert out.splitlines()[-1].endswith("longer than 44 days")


def test_what_nothing_ends_lives_for_ever() -> None:
    found = lives(keep_days=0, wait_days=14, due_days=0, backup_days=7)
    days = {one.where: one.days for one in found}

    assert days["log store"] == days["backups of the log store"] == days["referral.ledger (Kafka)"] == FOR_EVER
    assert days["backups of the log store, erasure asked for"] == 21
    assert longest(on_the_bus(found)) == FOR_EVER
    assert longest([Lives("a", 1, "x"), Lives("b", 5, "x")]) == 5
