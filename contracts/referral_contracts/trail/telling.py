"""
A trail as data: the JSON of a bundle and of a program, and the lines of a table.

The JSON follows from the trail alone and has one spelling, so whoever checks a bundle writes it again and compares.
"""

import csv
import io
from collections.abc import Sequence
from typing import Final

from referral_contracts.encoding import b64, jcs
from referral_contracts.envelope import EventRef, HandoffKey
from referral_contracts.published import harmless
from referral_contracts.trail import words
from referral_contracts.trail.model import Fault, Row, SectionSeen, Trail
from referral_contracts.trail.standing import Handoff, Move
from referral_contracts.trail.words import Language

FORMAT: Final = "referral-bus-trail/v1"

TITLES: Final = (
    ("Số", "no."),
    ("Thời điểm", "when"),
    ("Bên gửi", "from"),
    ("Bên nhận", "to"),
    ("Việc", "what"),
    ("Trạng thái", "state"),
    ("Ghi chú", "remarks"),
)
"""Of the columns of `lines`."""


def as_json(trail: Trail) -> bytes:
    """Return the trail in RFC 8785 form."""
    return jcs(fields(trail))


def fields(trail: Trail) -> dict[str, object]:
    """Return the trail as JSON has it. What is not known, or not there, is left out."""
    found, head = trail.checked.checkpoint, trail.head
    # Who has cosigned it, and whether those are enough, is each reader's own to say.
    checkpoint: dict[str, object] = {"origin": found.origin, "root": b64(found.root), "size": found.size}
    return _filled(
        {
            "agencies": {key: {"en": en, "vi": vi} for key, (vi, en) in trail.names.items()},
            "bus": trail.bus,
            "checkpoint": checkpoint,
            "directory": {"issued": head.issued, "version": head.version},
            "exercise": trail.exercise,
            "faults": [_fault(fault) for fault in trail.faults],
            "format": FORMAT,
            "handoffs": [_handoff(one) for one in trail.handoffs],
            "owner": trail.owner,
            "rows": [_row(row) for row in trail.rows],
            "state": trail.state,
            "subject": trail.subject,
        }
    )


def _filled(told: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in told.items() if value is not None}


def _fault(fault: Fault) -> dict[str, object]:
    return _filled({"code": fault.code.value, "detail": fault.detail, "leaf": fault.index})


def _row(row: Row) -> dict[str, object]:
    return _filled(
        {
            "admitted": row.at,
            "answers": _ref(row.answers),
            "case": row.case,
            "code": None if row.code is None else row.code.value,
            "counter": row.counter,
            "disputed": row.disputed or None,
            "erased_by": row.erased_by,
            "event": row.event,
            "follows": _ref(row.follows),
            "handoff": _key(row.handoff),
            "id": row.event_id,
            "kind": row.kind.value,
            "leaf": row.index,
            "moves": [_move(move) for move in row.moves] or None,
            "partition": row.partition,
            "recipients": list(row.recipients) or None,
            "sections": [_section(section) for section in row.sections] or None,
            "source": row.source,
            "statement": row.statement,
            "supersedes": _ref(row.supersedes),
            "told": None if row.told is None else dict(row.told),
            "verb": None if row.verb is None else row.verb.value,
        }
    )


def _ref(ref: EventRef | None) -> dict[str, object] | None:
    return None if ref is None else {"id": ref.id, "sha256": ref.sha256}


def _key(key: HandoffKey | None) -> dict[str, object] | None:
    return None if key is None else {"opening": key.opening, "recipient": key.recipient}


def _move(move: Move) -> dict[str, object]:
    return _filled({"after": move.after, "before": move.before, "handoff": _key(move.handoff)})


def _section(section: SectionSeen) -> dict[str, object]:
    # The body as it was sealed: labels change from one version of a form to the next, and this is compared.
    shown = "sealed" if section.schema is None else "disclosed"
    return _filled(
        {
            "body": section.body,
            "readers": list(section.readers),
            "schema": section.schema,
            "section": section.number,
            "shown": shown,
        }
    )


def _handoff(one: Handoff) -> dict[str, object]:
    return _filled(
        {
            "duty": one.duty or None,
            "forwarded_from": _key(one.forwarded_from),
            "head": _ref(one.head),
            "holder": one.holder,
            "key": _key(one.key),
            "receipt": one.receipt.value,
            "sender": one.sender,
            "state": one.state.value,
        }
    )


def lines(trail: Trail, language: Language) -> list[tuple[str, ...]]:
    """Return the trail as a table without its titles, a line for each leaf."""
    return [_line(trail, row, language) for row in trail.rows]


def _line(trail: Trail, row: Row, language: Language) -> tuple[str, ...]:
    return (
        str(row.index),
        words.when(row.at),
        "" if row.source is None else words.name(trail, row.source, language),
        ", ".join(words.name(trail, one, language) for one in row.recipients),
        words.what(row, language),
        "; ".join(words.moved(trail, move, language) for move in row.moves),
        "; ".join(words.marks(trail, row, language)),
    )


def titles(language: Language) -> list[str]:
    """Return the titles of `lines`."""
    return [both[language] for both in TITLES]


def as_csv(trail: Trail, language: Language) -> str:
    """Return the trail as CSV; no cell of it is a command to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    rows: Sequence[Sequence[str]] = [titles(language), *lines(trail, language)]
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()
