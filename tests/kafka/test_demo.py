import contextlib
import os
import re
import signal
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kafka_node import KafkaNode
from referral_contracts.codes import Code
from referral_contracts.lifecycle import CaseState
from referral_contracts.log.policy import Policy
from referral_contracts.log.proof import Receipt, verify_receipt
from referral_contracts.trail.bundle import read_bundle
from referral_contracts.trail.page import page
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


def test_who_is_late_is_reminded_and_told_and_those_above_hear_of_it(demo: DemoRun) -> None:
    told = [re.sub(" +", " ", line) for line in demo.told.splitlines()]
    said = re.findall(r"Bộ theo dõi → (.+?) deadline\.([a-z]+) ", "\n".join(told))

    assert [verb for who, verb in said if who == "UBND xã"] == ["armed", "reminded", "missed"]
    assert [verb for who, verb in said if who == "Công an"] == ["reminded", "missed", "explained"]
    assert [who for who, verb in said if verb == "escalated"] == ["Chủ tịch xã", "Sở Y tế"]
    assert not {who for who, _ in said} & {"Tổng đài 111", "Trường"}
    # The countdown: fewer seconds each time, until nobody has any left.
    left = [int(line.rpartition("UBND xã ")[2].removesuffix(" s")) for line in told if "còn / left" in line]
    assert len(left) >= 4
    assert left == sorted(set(left), reverse=True)


def test_at_the_end_it_shows_what_the_watcher_has_counted(demo: DemoRun) -> None:
    rows = {line.split()[0]: line.split()[1:] for line in demo.told.splitlines() if line.startswith("   demo-")}

    assert rows["demo-emergency-measures"] == ["1", "0", "1", "1", "—"]
    assert rows["demo-handoff-answered"][:4] == ["2", "1", "1", "0"]
    assert rows["demo-handoff-received"] == ["10", "10", "0", "0", "—"]
    assert re.search(r"From being late to the miss on the ledger, on average: \d+ ms\.", demo.told)


def test_at_the_end_it_shows_who_handed_what_to_whom(demo: DemoRun) -> None:
    rows = re.findall(r"^ +\d\d:\d\d:\d\d +(\S.*?) → (\S.*?)  +(\w+) +\S.*? / (\w+) +✓ (\d+)$", demo.told, re.MULTILINE)

    assert [row[:2] for row in rows] == [
        ("Tổng đài 111", "UBND xã"),
        ("UBND xã", "Công an"),
        ("UBND xã", "Bệnh viện"),
        ("UBND xã", "CTXH"),
        ("UBND xã", "TGPL 1"),
        ("UBND xã", "Trường"),
        ("UBND xã", "TGPL 2"),
    ]
    assert [row[2] for row in rows] == ["assigned", "assigned", *["offered"] * 5]
    ended = {row[1]: row[3] for row in rows}
    # Accepted or withdrawn: whichever of the two came first.
    assert ended.pop("CTXH") in {"closed", "withdrawn"}
    assert [recipient for recipient, state in ended.items() if state == "declined"] == ["TGPL 1"]
    assert set(ended.values()) == {"closed", "declined"}
    assert all(int(row[4]) >= 3 for row in rows)


def test_what_it_leaves_as_evidence_holds_without_the_bus(demo: DemoRun) -> None:
    folder = demo.home / "evidence"
    policy = Policy.parse((demo.home / "agencies" / "hotline-111" / "log.policy").read_bytes())
    bundle = read_bundle((folder / "case.zip").read_bytes(), policy, demo.trust)
    receipt = Receipt.decode((folder / "event.tlog-proof").read_bytes())
    event, signature = (folder / "event").read_bytes(), (folder / "signature").read_bytes()
    proven = verify_receipt(receipt, signature.strip(), event, policy)

    assert (proven.witnesses, proven.witnessed) == (("ubnd-xa-thi-du", "so-y-te-minh-hoa"), True)
    assert (bundle.trail.sound, bundle.trail.checked.quorum) == (True, True)
    assert bundle.trail.state is CaseState.CLOSED
    assert (folder / "case.html").read_bytes() == page(bundle.trail)
    assert proven.decision.event in {row.event for row in bundle.trail.rows}
    assert "evidence/case.html" in demo.told.replace("\n", "").replace(" ", "")


def test_the_byte_that_it_flips_is_found_and_only_in_the_copy(demo: DemoRun) -> None:
    def records(store: Path) -> dict[int, bytes]:
        with contextlib.closing(sqlite3.connect(store)) as opened:
            return dict(opened.execute("select idx, value from records"))

    ((leaf, codes),) = re.findall(r"^ +bản ghi / leaf (\d+): (.*)$", demo.told, re.MULTILINE)
    kept = records(demo.home / "log" / "log.db")
    copied = records(demo.home / "evidence" / "flipped.db")

    assert "leaf-changed" in codes
    assert {number for number in kept if kept[number] != copied[number]} == {int(leaf)}
    assert sum(a != b for a, b in zip(kept[int(leaf)], copied[int(leaf)], strict=True)) == 1


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    playing = Playing(tmp_path / "home")
    playing.until("starting 10 agencies")
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


@pytest.mark.long
def test_a_watcher_that_is_killed_in_the_middle_tells_the_same(tmp_path: Path) -> None:
    playing = Playing(tmp_path / "home")
    for _ in range(2):
        playing.until("deadline.reminded")
    os.kill(_watcher(tmp_path), signal.SIGKILL)
    code, told, complaints = playing.end()

    assert (code, complaints) == (0, ""), told
    assert "ended with -9; starting it again" in told
    said = re.findall(r"Bộ theo dõi → (.+?) +deadline\.([a-z]+) ", told)
    assert [verb for who, verb in said if who == "UBND xã"] == ["missed"]
    assert [verb for who, verb in said if who == "Công an"] == ["missed", "explained"]
    assert [who for who, verb in said if verb == "escalated"] == ["Chủ tịch xã", "Sở Y tế"]


def _hospital(home: Path) -> int:
    return _process(lambda words, _: words[-1].endswith(b"bv-nhi-minh-hoa") and os.fsencode(home) in words[-1])


def _watcher(home: Path) -> int:
    return _process(lambda words, environ: b"deadline_watcher" in words and os.fsencode(home) in environ)


def _process(wanted: Callable[[Sequence[bytes], bytes], bool]) -> int:
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit():
                words = (folder / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                if wanted(words, (folder / "environ").read_bytes()):
                    found.append(int(folder.name))
    (pid,) = found
    return pid
