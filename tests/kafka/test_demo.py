import os
import re
import signal
from pathlib import Path

import pytest

from kafka_node import KafkaNode
from referral_contracts.codes import Code
from tests.kafka.demo_run import DemoRun, Playing, processes_of
from tests.kafka.ledger_check import check

pytestmark = pytest.mark.kafka


def test_it_ends_by_itself_and_every_step_came_out_as_told(demo: DemoRun) -> None:
    assert (demo.code, demo.complaints) == (0, ""), demo.told
    assert "every step came out as told" in demo.told


def test_it_leaves_no_process_behind(demo: DemoRun) -> None:
    assert demo.left == []


def test_without_a_terminal_it_writes_plain_text(demo: DemoRun) -> None:
    assert not set(demo.told) & {"\x1b", "\r"}
    assert max(map(len, demo.told.splitlines())) <= 100


def test_the_ledger_bears_out_what_it_tells(demo: DemoRun) -> None:
    found = check(demo.held, demo.trust)
    (told,) = re.findall(r"Ledger: (\d+) decisions, .*?: (.*?)\.\n", demo.told, re.DOTALL)
    counted = {Code(code): int(count) for count, code in re.findall(r"(\d+)\s+([a-z-]+)", told[1])}

    assert found.codes == counted
    assert int(told[0]) == len(found.decisions)


def test_no_inbox_has_seen_what_was_forged(demo: DemoRun) -> None:
    found = check(demo.held, demo.trust)
    forged = [one.event for one in found.decisions if one.code in {Code.BAD_SIGNATURE, Code.UNKNOWN_KEY}]

    assert len(forged) == 2
    assert set(forged).isdisjoint(delivery.event for delivery in found.deliveries)


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    playing = Playing(tmp_path / "home")
    playing.until("starting 8 agencies")
    playing.process.send_signal(signal.SIGINT)
    code, _, complaints = playing.end()

    assert (code, complaints) == (130, "demo: interrupted\n")
    assert processes_of(tmp_path) == []


def test_a_folder_of_somebody_else_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("somebody's")
    code, _, complaints = Playing(tmp_path).end()

    assert (code, "holds something else" in complaints) == (1, True)
    assert (tmp_path / "keys.json").read_text() == "somebody's"


def test_a_step_that_does_not_come_out_is_told_and_is_exit_code_1(tmp_path: Path, own_kafka: KafkaNode) -> None:
    playing = Playing(tmp_path / "home", {"KAFKA_BOOTSTRAP": own_kafka.bootstrap})
    playing.until("Chuyển cho xã")
    os.kill(_hospital(tmp_path), signal.SIGKILL)
    code, told, _ = playing.end()

    assert code == 1
    assert "bv-nhi-minh-hoa" in told.partition("Không như câu chuyện")[2]
    assert processes_of(tmp_path) == []
    # The broker was not ours: it stays, with the bus on it, and no other bus is founded there.
    assert own_kafka.running
    code, _, complaints = Playing(tmp_path / "another", {"KAFKA_BOOTSTRAP": own_kafka.bootstrap}).end()
    assert code == 1
    assert complaints.startswith(f"demo: the broker at {own_kafka.bootstrap} carries another bus than ")


def _hospital(home: Path) -> int:
    (pid,) = (
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and _is_hospital((folder / "cmdline"), home)
    )
    return pid


def _is_hospital(arguments: Path, home: Path) -> bool:
    try:
        told = arguments.read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return any(os.fsencode(home) in word and word.endswith(b"bv-nhi-minh-hoa") for word in told)
