"""What the watcher brings to its core, and how it starts: keys, rules, a directory as new as what was decided by."""

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from deadline_watcher.app import LedgerFold, WatcherService
from deadline_watcher.core.tally import Label, Tally
from deadline_watcher.metrics import ClockMetrics
from deadline_watcher.settings import Settings
from referral_bus import AgencyKeys
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.errors import ReferralBusError
from referral_contracts.rules.clock import Outcome
from referral_contracts.verbs import Verb
from service_chassis.keyfile import read_service_keys, read_state_key, state_key_file
from service_chassis.logs import make_log
from service_chassis.metrics import Metrics
from tests.contracts.rules.packs import SHELF, head, rule
from tests.stories.deadlines import Watched
from tests.stories.world import WARD

STATE_KEY = bytes(range(32))
RECEIPT = rule(
    id='"a-receipt"',
    trigger='["handoff.assigned"]',
    required='["handoff.received"]',
    role='"*"',
    whose='"named"',
    scope='"handoff"',
    limit='"PT30M"',
)
LABEL = Label("emergency-measures-12h", "commune", "law")


def secret(path: Path, value: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(value)
    path.chmod(mode)
    return path


@pytest.fixture
def files(tmp_path: Path) -> Mapping[str, Path]:
    """Give all that a watcher needs, as its settings name it."""
    world = Watched()
    keys = tmp_path / "keys.json"
    AgencyKeys.generate("watcher").save(keys)
    (tmp_path / "trust.json").write_bytes(world.simulator.root.encode())
    (tmp_path / "law.toml").write_text(head() + rule(), "utf-8")
    return {
        "trust": tmp_path / "trust.json",
        "watcher_key": keys,
        "watcher_state_key": secret(tmp_path / "state.json", state_key_file(STATE_KEY)),
        "packs": tmp_path / "law.toml",
        "calendar": SHELF / "calendar" / "vn.toml",
    }


def service(files: Mapping[str, Path]) -> WatcherService:
    told = {name: str(path) if name == "packs" else path for name, path in files.items()}
    metrics = Metrics()
    log = make_log("watcher", dropped=lambda: None, out=io.StringIO())
    settings = Settings(bootstrap="nowhere:9092", unsafe_plaintext=True, **told)  # type: ignore[arg-type]
    return WatcherService(settings, clock=lambda: 0, metrics=metrics, log=log)


class TestStarting:
    def test_it_is_wired_without_a_broker(self, files: Mapping[str, Path]) -> None:
        assert [trouble.code for trouble in service(files).troubles()] == [Code.BROKER_AWAY]

    @pytest.mark.parametrize("name", ["trust", "watcher_key", "watcher_state_key", "packs", "calendar"])
    def test_without_a_file_it_does_not_start(self, files: Mapping[str, Path], name: str) -> None:
        with pytest.raises(ReferralBusError) as refused:
            service({**files, name: files["trust"].parent / "absent"})

        assert refused.value.code is Code.NO_SUCH_FILE

    @pytest.mark.parametrize("name", ["watcher_key", "watcher_state_key"])
    def test_a_key_that_others_can_read_is_refused(self, files: Mapping[str, Path], name: str) -> None:
        files[name].chmod(0o644)

        with pytest.raises(ReferralBusError) as refused:
            service(files)

        assert refused.value.code is Code.LOOSE_PERMISSIONS

    def test_rules_that_cannot_be_used_are_refused_with_their_place(self, files: Mapping[str, Path]) -> None:
        files["packs"].write_text(head() + rule(role='"astronaut"'), "utf-8")

        with pytest.raises(ReferralBusError) as refused:
            service(files)

        assert refused.value.code is Code.MALFORMED_PACK
        assert "law.toml" in str(refused.value)


class TestKeys:
    def test_the_key_of_a_state_is_read_back(self, tmp_path: Path) -> None:
        assert read_state_key(secret(tmp_path / "key", state_key_file(STATE_KEY))) == STATE_KEY

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"state": 1}', '{"state": "AA"}'])
    def test_what_is_no_key_is_refused(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(ReferralBusError) as refused:
            read_state_key(secret(tmp_path / "key", text.encode()))

        assert refused.value.code is Code.MALFORMED_KEY

    def test_old_keys_open_as_well(self, tmp_path: Path) -> None:
        keys = AgencyKeys.generate("watcher").renewed()
        keys.save(tmp_path / "keys.json")
        found = read_service_keys(tmp_path / "keys.json")

        assert [key.kid for key in found.sealing] == [key.kid for key in keys.sealing["watcher"]]
        assert found.signing.kid == keys.signing.kid

    @pytest.mark.parametrize("text", ["{}", '{"agency": "w", "sealing": {}}', '{"agency": "w", "sealing": {"w": [1]}}'])
    def test_a_file_without_a_key_that_opens_is_refused(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(ReferralBusError) as refused:
            read_service_keys(secret(tmp_path / "keys.json", text.encode()))

        assert refused.value.code is Code.MALFORMED_KEY


class TestWaiting:
    def fold(self, directory: Directory | None) -> LedgerFold:
        world = Watched()
        world.opened()
        world.look()
        metrics = ClockMetrics(Metrics().registry, lambda: 0)
        core = next(fold for fold in world.watching.folds if len(fold))
        return LedgerFold(core, lambda: directory, metrics)

    def test_without_a_directory_it_waits(self) -> None:
        assert self.fold(None).waits(0) is Code.DIRECTORY_MISSING

    def test_a_directory_that_is_older_than_what_was_heard_by_is_waited_for(self) -> None:
        directory = Watched().simulator.directory
        older = replace(directory, head=directory.head.model_copy(update={"version": 1}))

        assert self.fold(older).waits(0) is Code.DIRECTORY_BEHIND
        assert self.fold(directory).waits(0) is None


class TestMetrics:
    def test_what_a_step_did_is_counted_by_rule_and_role(self) -> None:
        registry = Metrics().registry
        metrics = ClockMetrics(registry, lambda: 0)
        tally = Tally()
        tally.armed[LABEL] = 3
        tally.missed[LABEL] = 1
        tally.outcomes.update({(LABEL, outcome): 1 for outcome in Outcome if outcome is not Outcome.MISSED})
        tally.fired_ms.append(250)
        metrics.took(tally)

        def value(name: str, **more: str) -> float | None:
            return registry.get_sample_value(f"referral_bus_{name}", {**LABEL._asdict(), **more})

        assert value("clocks_armed_total") == 3
        assert value("clocks_missed_total") == 1
        assert value("clocks_met_total", how="in-time") == value("clocks_met_total", how="claimed") == 1
        assert value("clocks_cancelled_total") == value("clocks_disputed_total") == 1
        assert registry.get_sample_value("referral_bus_watcher_firing_delay_seconds_sum") == 0.25

    def test_what_is_overdue_is_shown_with_its_age(self) -> None:
        world = Watched()
        world.opened()
        world.opened()
        world.wind(14)
        registry = Metrics().registry
        metrics = ClockMetrics(registry, world.clock.now_ms)
        metrics.show([fold.shown for fold in world.watching.folds], behind_ms=1500)

        def value(name: str) -> float | None:
            return registry.get_sample_value(f"referral_bus_{name}", LABEL._asdict())

        assert value("clocks_running") == value("clocks_overdue") == 2
        assert value("oldest_overdue_seconds") == 2 * 3600
        assert registry.get_sample_value("referral_bus_watcher_lag_seconds") == 1.5

    def test_a_delivery_without_a_receipt_is_counted_by_how_long_it_waits(self) -> None:
        world = Watched(RECEIPT)
        first = world.assigned(world.opened())
        world.wind(0.2)
        second = world.assigned(world.opened())
        registry = Metrics().registry
        metrics = ClockMetrics(registry, world.clock.now_ms)

        def waiting() -> dict[str, float | None]:
            metrics.show([fold.shown for fold in world.watching.folds], behind_ms=0)
            name = "referral_bus_deliveries_unreceived"
            return {age: registry.get_sample_value(name, {"older_than": age}) for age in ("5m", "15m", "1h")}

        assert waiting() == {"5m": 1, "15m": 0, "1h": 0}
        world.wind(0.2)
        assert waiting() == {"5m": 2, "15m": 1, "1h": 0}
        world.received(first)
        world.look()
        assert waiting() == {"5m": 1, "15m": 0, "1h": 0}
        world.reply(WARD, Verb.ACCEPTED, second)
        world.received(second)
        world.look()
        assert waiting() == {"5m": 0, "15m": 0, "1h": 0}
