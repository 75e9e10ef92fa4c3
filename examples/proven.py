"""
What the log proves of the first case, to whoever has keys of their own: trail, receipt, bundle, and a flipped byte.

Everything is asked as a person asks it, with ``referral-bus``; what it answers is compared with the story.
"""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from founding import Founding
from office import NotAsTold
from referral_contracts.codes import Code
from referral_contracts.lifecycle import State
from referral_contracts.trail.words import when
from referral_contracts.verbs import Verb
from referral_contracts.wording import STATES, both
from stage import Stage, expect
from story import AUDITOR, HOTLINE

FOLDER: Final = "evidence"
"""Where it goes, in the demonstration's own."""
_PROGRAM: Final = Path(sys.executable).with_name("referral-bus")
_TOO_LONG_S: Final = 60.0
_TRIES: Final = 10
_EACH_S: Final = 0.5
_WHOLE: Final = 0
_CHANGED: Final = 4
"""How a check ends."""

Told = Mapping[str, Any]


class Proof:
    """The end of the demonstration."""

    def __init__(self, stage: Stage, founding: Founding) -> None:
        """Prove what was played on *stage*. The hotline's people have gone home: its store is asked too."""
        self._stage, self._teller = stage, stage.teller
        self._home, self._folder = founding.home, founding.home / FOLDER
        self._agency = founding.folder(HOTLINE)
        self._store = self._home / "log" / "log.db"
        self._log = ("--policy", str(self._agency / "log.policy"))
        self._pinned = (*self._log, "--trust", str(self._home / "trust.json"))
        self._tiles = ("--tiles", str(self._home / "log" / "tiles"))

    async def show(self) -> None:
        """Show it, or raise NotAsTold."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._teller.chapter("Chứng minh", "what the log proves, to anybody and offline")
        trail = await self._trail()
        leaf = await self._receipt(_opening(trail, trail["handoffs"][0]))
        await self._bundle()
        await self._read(trail["owner"])
        await self._flipped(leaf)

    async def _trail(self) -> Told:
        """Show who handed what to whom, as the log's store has it."""
        stage = self._stage
        for _ in range(_TRIES):
            told = await _typed("audit", "trail", stage.subject, *self._at(self._store), *self._tiles, *self._pinned)
            accepted = [row for row in told["trail"]["rows"] if row.get("code") == Code.ACCEPTED]
            if len(accepted) == stage.accepted and told["witnessed"]:
                break
            await asyncio.sleep(_EACH_S)
        trail: Told = told["trail"]
        expect(told["sound"] and told["witnessed"], "everything in the trail is proven and witnessed")
        expect(len(accepted) == stage.accepted, f"the trail has {len(accepted)} events, the story {stage.accepted}")
        expect(len(trail["handoffs"]) == stage.handoffs, "the trail has each hand-off")
        self._teller.table(
            "Ai giao gì cho ai, theo nhật ký / who handed what to whom, by the log",
            ("lúc\nwhen", "ai → ai\nwho → whom", "việc\nwhat", "kết quả\noutcome", "đúng\nproven"),
            [self._row(trail, one) for one in trail["handoffs"]],
            words=True,
        )
        count = len(accepted)
        refused = sum(row["kind"] == "event" for row in trail["rows"]) - count
        self._teller.tell(
            f"✓ {count} sự kiện, {refused} lần bị từ chối, đều được chứng minh; nội dung vẫn niêm phong.",
            f"✓ {count} events, {refused} refused, each of them proven; what they say stays sealed.",
        )
        return trail

    def _row(self, trail: Told, one: Told) -> Sequence[str]:
        opening, key = _opening(trail, one), one["key"]
        faulty = {fault.get("leaf") for fault in trail["faults"]}
        proven = [row for row in trail["rows"] if row.get("handoff") == key or row is opening]
        expect(not faulty & {row["leaf"] for row in proven}, f"what {key['recipient']} was handed is proven")
        short = self._teller.short
        return (
            when(opening["admitted"]).rpartition(" ")[2],
            f"{short(one['sender'])} → {short(key['recipient'])}",
            Verb(opening["verb"]).value.rpartition(".")[2],
            both(STATES[State(one["state"])]),
            f"✓ {len(proven)}",
        )

    async def _receipt(self, row: Told) -> int:
        """Let the hotline fetch the receipt of what it handed on, and a stranger check it; return its leaf."""
        receipt, event, signature = (str(self._folder / name) for name in ("event.tlog-proof", "event", "signature"))
        parts = ("--event", event, "--signature", signature)
        for _ in range(_TRIES):
            told = await _typed("receipt", row["id"], "--home", str(self._agency), "--out", receipt, *parts)
            if told["witnessed"]:
                break
            await asyncio.sleep(_EACH_S)
        proven = await _typed("verify", receipt, *self._log, *parts)
        expect(proven["event"] == row["event"], "the receipt is of that event")
        expect((proven["index"], proven["code"]) == (row["leaf"], Code.ACCEPTED), "it proves what the trail says")
        expect(proven["witnessed"], "every witness of the log has seen what the receipt is under")
        at, size = when(proven["admitted"]).rpartition(" ")[2], proven["size"]
        self._teller.tell(
            f"✓ Biên nhận của tổng đài, kiểm tra ngoại tuyến: giao {at}, bản ghi {proven['index']} / {size}.",
            f"✓ The hotline's receipt, checked offline: handed on at {at}, leaf {proven['index']} of {size}.",
        )
        names = [self._teller.short(one) for one in proven["witnesses"]]
        self._teller.tell(
            f"✓ Có chữ ký của các bên chứng kiến nhật ký: {', '.join(names)}.",
            f"✓ Cosigned by the log's {len(names)} witnesses: other agencies, with keys of their own.",
        )
        return int(proven["index"])

    async def _bundle(self) -> None:
        """Write the evidence bundle, and check it as somebody does who has nothing else of the bus."""
        file, page = self._folder / "case.zip", self._folder / "case.html"
        where = (*self._at(self._store), *self._tiles)
        await _typed("audit", "bundle", self._stage.subject, "--out", str(file), *where, *self._pinned)
        found = await _typed("verify", str(file), *self._pinned, "--page", str(page))
        expect(found["sound"] and found["page_compared"], "the bundle holds what its page says")
        expect(found["trail"]["subject"] == self._stage.subject, "it is of the first case")
        size = file.stat().st_size // 1024
        self._teller.tell(
            f"✓ Gói chứng cứ ({size} KiB), kiểm tra ngoại tuyến bằng khóa của người đọc:",
            f"✓ Evidence bundle ({size} KiB), checked offline by keys of one's own; its page:",
        )
        self._teller.remark(str(page), "bold")

    async def _read(self, owner: str) -> None:
        """Let an auditor with a grant read the case over HTTP, as nobody can without the *owner* seeing it."""
        folder, subject = self._agency.parent, self._stage.subject
        told = await _typed("audit", "trail", subject, "--home", str(folder / AUDITOR))
        expect(told["sound"], "what the auditor was answered is proven")
        expect(told["trail"]["owner"] == owner, "it is the case that the owner has")
        for _ in range(_TRIES):
            seen = await _typed("audit", "reads", subject, "--home", str(folder / owner))
            if seen["reads"]:
                break
            await asyncio.sleep(_EACH_S)
        found = [(one["by"], one["asked"], one.get("purpose")) for one in seen["reads"] if one["by"] != owner]
        expect(found == [(AUDITOR, "trail", "inspection")], f"the owner sees that read, and no other: {found}")
        who, whose, at = self._teller.short(AUDITOR), self._teller.short(owner), when(seen["reads"][0]["at"])
        self._teller.tell(
            f"✓ {who} đọc vụ việc qua mạng, có ghi nhật ký; {whose} thấy ai đọc, lúc {at}, để thanh tra.",
            f"✓ {who} read the case over HTTP, by a logged grant; {whose} sees who read it, when, and what for.",
        )

    async def _flipped(self, leaf: int) -> None:
        """Flip one byte in a copy of the store; the check of the whole log has to name it."""
        copy = self._folder / "flipped.db"
        _flip(self._store, copy, leaf)
        tiles = (*self._tiles, *self._pinned)
        whole, changed = await asyncio.gather(
            _typed("audit", "verify", *self._at(self._store), *tiles),
            _typed("audit", "verify", *self._at(copy), *tiles, wanted=_CHANGED),
        )
        expect(whole["faults"] == 0, f"the log is whole: {whole['findings']}")
        named = [one for one in changed["findings"] if one["place"] == f"leaf {leaf}"]
        expect("leaf-changed" in {one["code"] for one in named}, f"the flipped byte of leaf {leaf} is named")
        codes = ", ".join(one["code"] for one in named)
        self._teller.tell(
            f"✓ Nhật ký nguyên vẹn ({whole['size']} bản ghi); một byte bị đổi trong bản sao bị tìm ra:",
            f"✓ The log is whole ({whole['size']} leaves); one byte flipped in a copy of it is found:",
        )
        self._teller.remark(f"bản ghi / leaf {leaf}: {codes}", "bold yellow")

    @staticmethod
    def _at(store: Path) -> Sequence[str]:
        return "--store", f"sqlite:///{store.resolve()}"


def _opening(trail: Told, handoff: Told) -> Told:
    """Return the row with which *handoff* began."""
    return next(row for row in trail["rows"] if row.get("id") == handoff["key"]["opening"])


def _flip(store: Path, copy: Path, leaf: int) -> None:
    copy.unlink(missing_ok=True)
    source = f"{store.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(source, uri=True)) as original, closing(sqlite3.connect(copy)) as changed:
        original.backup(changed)
        (value,) = changed.execute("select value from records where idx = ?", (leaf,)).fetchone()
        middle = len(value) // 2
        flipped = value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
        changed.execute("update records set value = ? where idx = ?", (flipped, leaf))
        changed.commit()


async def _typed(*words: str, wanted: int = _WHOLE) -> Told:
    """Return what ``referral-bus`` answers, which has to end with *wanted*."""
    name = " ".join(words[: 2 if words[0] == "audit" else 1])

    def ended_with() -> subprocess.CompletedProcess[str]:
        command = [str(_PROGRAM), *words, "--json"]
        return subprocess.run(command, check=False, capture_output=True, timeout=_TOO_LONG_S, encoding="utf-8")

    try:
        ended = await asyncio.to_thread(ended_with)
    except subprocess.TimeoutExpired:
        raise NotAsTold(f"referral-bus {name} does not end within {_TOO_LONG_S:.0f} s") from None
    expect(ended.returncode == wanted, f"referral-bus {name} ends with {ended.returncode}: {ended.stderr.strip()}")
    found: Told = json.loads(ended.stdout)
    return found
