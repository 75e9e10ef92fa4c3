"""How SPEC opens: one referral's whole life, told in `opening.md` with the bytes of `vectors/life.json`."""

import json
import re
from pathlib import Path
from string import Template
from typing import Final

from referral_contracts import topics
from referral_contracts.decisions import read_decision, read_verdict
from referral_contracts.encoding import event_hash, lp, unb64
from referral_contracts.records import Write
from tools.tables import code, table
from tools.vectors.life import Life, Said

_WORDS: Final = Path(__file__).with_suffix(".md")
_LONG: Final = 100
"""Longer values than this are cut in the middle."""
_WIDTH: Final = 120


def text(life: Life) -> str:
    """Return the whole opening."""
    return Template(_WORDS.read_text()).substitute(_opened(life), **_offered(life), **_judged(life), **_rest(life))


def _opened(life: Life) -> dict[str, str]:
    said, envelope = life.said[0], life.said[0].envelope
    parts = ("referral-bus/v1/case", envelope.bus, envelope.source, envelope.id)
    return {
        "preimage": _folded(lp(*(part.encode() for part in parts)).hex()),
        "subject": envelope.subject,
        "intake": _folded(said.plaintexts[0].decode()),
        "opened": _shown(said.value),
        "opened_size": f"{len(said.value):,}",
    }


def _offered(life: Life) -> dict[str, str]:
    said = life.said[1]
    return {
        "request": _folded(said.plaintexts[0].decode()),
        "ctx": _folded(said.envelope.seal_context(0).info().hex()),
        "offered": _shown(said.value),
        "offered_size": f"{len(said.value):,}",
        "offered_hash": event_hash(said.value),
        "protected": _folded(unb64(said.signature.split(b".")[0].decode()).decode()),
        "signature": _folded(said.signature.decode()),
        "partition": str(said.record.partition),
    }


def _judged(life: Life) -> dict[str, str]:
    ledger, delivery, verdict = life.written[1]
    proof = (_header(delivery, topics.H_PATH).hex(), _header(delivery, topics.H_ROOT).decode())
    return {
        "decision": _folded(_header(ledger, topics.H_DECISION).decode()),
        "delivery": _folded(_header(delivery, topics.H_DELIVERY).decode()),
        "verdict": _folded((verdict.value or b"").decode()),
        "proof": _block("\n\n".join(map(_lines, proof))),
    }


def _rest(life: Life) -> dict[str, str]:
    head = ("", "`source`", "verb", "`recipients`", "answers", "event hash", "verdict", "then")
    return {
        "rest": table(head, (_row(number, life) for number in range(len(life.said)))),
        "answers": _block(_answers(life.said[3])),
    }


def _answers(said: Said) -> str:
    data = json.loads(said.value)["data"]
    return json.dumps({name: data[name] for name in ("answers", "handoff", "recipients")}, indent=1)


def _row(number: int, life: Life) -> tuple[str, ...]:
    said, saying, written = life.said[number], life.story.sayings[number], life.written[number]
    told = next(write.value or b"" for write in written if _header(write, topics.H_KIND) == topics.KIND_VERDICT)
    verdict, decision = read_verdict(told), read_decision(_header(written[0], topics.H_DECISION))
    state = f"hand-off `{verdict.state.value}`" if verdict.state else ""
    if verdict.case_state:
        state = f"case `{verdict.case_state.value}`"
    return (
        str(decision.case),
        code(said.envelope.source),
        code(saying.verb.value),
        code(", ".join(said.envelope.data.recipients)),
        "" if saying.answers is None else str(saying.answers + 1),
        code(event_hash(said.value)[:12] + "…"),
        code(verdict.code.value),
        state,
    )


def _header(write: Write, name: str) -> bytes:
    return dict(write.headers)[name]


def _shown(value: bytes) -> str:
    """Show an event over several lines; on the wire it is one."""

    def short(found: re.Match[str]) -> str:
        told = found[1]
        return found[0] if len(told) <= _LONG else f'"{told[:16]}…{told[-8:]}"'

    pretty = json.dumps(json.loads(value), ensure_ascii=False, indent=1)
    return "```json\n" + re.sub(r'"([A-Za-z0-9_-]*)"', short, pretty) + "\n```\n"


def _folded(long: str) -> str:
    return _block(_lines(long))


def _lines(long: str) -> str:
    return "\n".join(long[start : start + _WIDTH] for start in range(0, len(long), _WIDTH))


def _block(inside: str) -> str:
    return f"```\n{inside}\n```\n"
