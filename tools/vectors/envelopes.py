"""Envelopes: one of each verb, and one for each way in which its bytes can be no envelope."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from referral_contracts.codes import Code
from referral_contracts.encoding import b64, event_hash, format_time, jcs, parse_json, sha256
from referral_contracts.envelope import Envelope, EventData, EventRef, HandoffKey, case_pseudonym, seal_context
from referral_contracts.lifecycle import CORRECTIONS, HEADLESS, OPENINGS
from referral_contracts.topics import ENVELOPE_MAX
from referral_contracts.verbs import DEADLINES, Verb
from tools.vectors.cast import BUS, HOSPITAL, HOTLINE, START, WATCHER, event_id
from tools.vectors.frozen import Frozen
from tools.vectors.seals import sealed
from tools.vectors.vector import Vector, fault, octets, repeated, valid

_OPENING: Final = event_id(2)
_SUBJECT: Final = case_pseudonym(BUS, HOTLINE.id, event_id(1))
_ENDED: Final = b64(sha256(b"the end of an earlier hand-off"))
_BY_RECIPIENT: Final = {
    Verb.RECEIVED,
    Verb.UNREADABLE,
    Verb.ACCEPTED,
    Verb.DECLINED,
    Verb.FORWARDED,
    Verb.PROGRESSED,
    Verb.COMPLETED,
    Verb.RETURNED,
    Verb.MISDIRECTED,
    Verb.CASE_TRANSFER_ACCEPTED,
    Verb.CASE_TRANSFER_DECLINED,
}
_NAMING: Final = {Verb.FORWARDED, Verb.MOVED}
_TO_NOBODY: Final = {Verb.CASE_OPENED, Verb.CASE_CLOSED, Verb.CASE_VOIDED}


def envelope_of(verb: Verb) -> Envelope:
    """Return an envelope of *verb*, without its sections."""
    identity = event_id(1 if verb is Verb.CASE_OPENED else 2 if verb in OPENINGS else 3)
    answering = verb not in OPENINGS and verb is not Verb.CASE_OPENED and not (verb.of_case and verb in HEADLESS)
    sender, other = (HOSPITAL, HOTLINE) if verb in _BY_RECIPIENT else (HOTLINE, HOSPITAL)
    sender = WATCHER if verb in DEADLINES else sender
    recipients = () if verb in _TO_NOBODY else (other.id, "police-b") if verb in _NAMING else (other.id,)
    return Envelope(
        bus=BUS,
        data=EventData(
            answers=EventRef(id=_OPENING, sha256=b64(sha256(b"the head"))) if answering else None,
            handoff=None if verb.of_case or verb in OPENINGS else HandoffKey(opening=_OPENING, recipient=HOSPITAL.id),
            recipients=recipients,
            sections=(),
            supersedes=EventRef(id=_OPENING, sha256=b64(sha256(b"the wrong one"))) if verb in CORRECTIONS else None,
        ),
        exercise=False,
        id=identity,
        source=sender.id,
        subject=_SUBJECT,
        time=format_time(START),
        type=verb.type,
    )


def cases(frozen: Frozen) -> Iterator[Vector]:
    for verb in Verb:
        value = envelope_of(verb).encode()
        name = "envelope_" + verb.value.replace(".", "_")
        without = "" if verb in HEADLESS else "; the sections that it needs are left out"
        yield valid(
            "envelope", name, f"{verb.value}{without}", value=octets(value), verb=verb.value, event=event_hash(value)
        )
    followed = _changed(envelope_of(Verb.OFFERED), data={"follows": {"id": event_id(4), "sha256": _ENDED}})
    yield valid(
        "envelope",
        "envelope_follows",
        "a request that follows one which has ended; the sections that it needs are left out",
        value=octets(followed),
        verb=Verb.OFFERED.value,
        event=event_hash(followed),
    )
    yield from _with_a_section(frozen)
    yield from _malformed()
    yield from _refused_for_another_reason()
    yield from _not_canonical()


def _with_a_section(frozen: Frozen) -> Iterator[Vector]:
    envelope = envelope_of(Verb.OFFERED)
    context = seal_context(BUS, envelope.id, envelope.source, envelope.subject, None, 0)
    one = sealed(frozen, context, (HOTLINE,), b"{}").model_dump()
    two = sealed(frozen, context, (HOTLINE, WATCHER), b"{}").model_dump()
    reader = one["readers"][0]
    taken = _changed(envelope, data={"sections": [one]})
    yield valid(
        "envelope",
        "envelope_with_a_section",
        "one section for one reader",
        value=octets(taken),
        verb=envelope.verb.value,
        event=event_hash(taken),
    )
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "envelope_section_without_readers": ({**one, "readers": []}, "nobody can open it"),
        "envelope_readers_not_ascending": ({**two, "readers": two["readers"][::-1]}, "readers in another order"),
        "envelope_reader_twice": ({**one, "readers": [reader, reader]}, "a key id twice in one section"),
        "envelope_content_of_no_padded_size": ({**one, "content": one["content"][:-4]}, "content of 1037 bytes"),
        "envelope_enc_too_short": (
            {**one, "readers": [{**reader, "enc": reader["enc"][:-4]}]},
            "an encapsulated key of 1165 bytes",
        ),
    }
    for name, (section, comment) in wrong.items():
        value = _changed(envelope, data={"sections": [section]})
        yield fault(Code.MALFORMED_ENVELOPE, "envelope", name, comment, value=octets(value))


def _changed(envelope: Envelope, data: Mapping[str, object] | None = None, **members: object) -> bytes:
    """Return the bytes of *envelope* with some members of another value; None leaves one out."""
    told: Any = parse_json(envelope.encode())
    told["data"] |= data or {}
    told |= members
    told["data"] = {name: value for name, value in told["data"].items() if value is not None}
    return jcs({name: value for name, value in told.items() if value is not None})


def _malformed() -> Iterator[Vector]:
    envelope = envelope_of(Verb.ACCEPTED)
    answers = {"id": _OPENING, "sha256": "A" * 42 + "B"}
    changes = {
        "envelope_bus_upper_case": (_changed(envelope, bus="Training"), "a capital letter"),
        "envelope_source_empty": (_changed(envelope, source=""), "no sender"),
        "envelope_id_of_version_4": (
            _changed(envelope, id="01930b5e-8f00-4000-8000-000000000001"),
            "a random UUID",
        ),
        "envelope_subject_upper_case": (
            _changed(envelope, subject=_SUBJECT.upper()),
            "capital hex digits",
        ),
        "envelope_subject_line_end": (
            _changed(envelope, subject=_SUBJECT + "\n"),
            "a line end after the pseudonym",
        ),
        "envelope_exercise_as_text": (_changed(envelope, exercise="false"), "text, not false"),
        "envelope_without_id": (_changed(envelope, id=None), "no id"),
        "envelope_strange_member": (
            _changed(envelope, dataschema="mau01"),
            "a member of CloudEvents that this wire does not have: it would tell the form",
        ),
        "envelope_strange_member_of_data": (
            _changed(envelope, data={"service": "medical"}),
            "a member of data that would tell the service",
        ),
        "envelope_recipient_with_two_desks": (
            _changed(envelope, data={"recipients": ["hospital-c/a/b"]}),
            "an address with two slashes",
        ),
        "envelope_too_many_recipients": (
            _changed(envelope, data={"recipients": [f"agency-{number}" for number in range(33)]}),
            "33 recipients",
        ),
        "envelope_follows_an_id_alone": (
            _changed(envelope_of(Verb.OFFERED), data={"follows": {"id": event_id(4)}}),
            "what it follows, without a hash",
        ),
        "envelope_answers_stray_bits": (
            _changed(envelope, data={"answers": answers}),
            "a hash whose unused bits are not zero",
        ),
    }
    for name, (value, comment) in changes.items():
        yield fault(Code.MALFORMED_ENVELOPE, "envelope", name, comment, value=octets(value))
    yield from _superseding_nothing(answers)


def _superseding_nothing(stray: Mapping[str, str]) -> Iterator[Vector]:
    corrected = envelope_of(Verb.CORRECTED)
    changes = {
        "envelope_supersedes_without_hash": (
            _changed(corrected, data={"supersedes": {"id": _OPENING}}),
            "an event named by its id alone",
        ),
        "envelope_supersedes_an_id": (_changed(corrected, data={"supersedes": _OPENING}), "an id, and no reference"),
        "envelope_supersedes_stray_bits": (
            _changed(corrected, data={"supersedes": stray}),
            "a hash whose unused bits are not zero",
        ),
    }
    for name, (value, comment) in changes.items():
        yield fault(Code.MALFORMED_ENVELOPE, "envelope", name, comment, value=octets(value))


def _refused_for_another_reason() -> Iterator[Vector]:
    envelope = envelope_of(Verb.ACCEPTED)
    changes = {
        "envelope_unknown_verb": (
            Code.UNKNOWN_TYPE,
            _changed(envelope, type="vn.referral-bus.handoff.pondered.v1"),
            "no such verb",
        ),
        "envelope_version_2": (
            Code.UNKNOWN_VERSION,
            _changed(envelope, type="vn.referral-bus.handoff.accepted.v2"),
            "a verb of another wire version",
        ),
        "envelope_no_such_time": (
            Code.MALFORMED_VALUE,
            _changed(envelope, time="2026-02-30T00:00:00.000Z"),
            "30 February",
        ),
    }
    for name, (code, value, comment) in changes.items():
        yield fault(code, "envelope", name, comment, value=octets(value))
    yield fault(
        Code.OVERSIZE,
        "envelope",
        "envelope_oversize",
        "one byte too many, whatever it says",
        value=repeated(" ", ENVELOPE_MAX + 1),
    )


def _not_canonical() -> Iterator[Vector]:
    value = envelope_of(Verb.ACCEPTED).encode()
    spelled = {
        "envelope_white_space": (value.replace(b":", b": ", 1), "a space after a colon"),
        "envelope_line_end": (value + b"\n", "a line end after it"),
        "envelope_other_order": (
            b'{"type":"vn.referral-bus.handoff.accepted.v1",' + value[1 : value.rindex(b',"type"')] + b"}",
            "type first",
        ),
        "envelope_member_twice": (value.replace(b'"bus":', b'"bus":"training","bus":', 1), "bus twice"),
        "envelope_escape": (value.replace(b'"training"', b'"\\u0074raining"', 1), "a letter as an escape"),
        "envelope_null": (value.replace(b'"sections":[]', b'"sections":[],"supersedes":null', 1), "null for no value"),
        "envelope_without_specversion": (value.replace(b'"specversion":"1.0",', b"", 1), "a default taken for granted"),
    }
    for name, (changed, comment) in spelled.items():
        yield fault(Code.NOT_CANONICAL, "envelope", name, comment, value=octets(changed))
    unread = {
        "envelope_cut": (value[:-1], "the last brace is missing"),
        "envelope_not_utf8": (value.replace(b"training", b"training\xff", 1), "a byte that is no UTF-8"),
        "envelope_empty": (b"", "no bytes"),
        "envelope_nan": (value.replace(b'"exercise":false', b'"exercise":NaN'), "NaN, which is no JSON"),
    }
    for name, (changed, comment) in unread.items():
        yield fault(Code.MALFORMED_JSON, "envelope", name, comment, value=octets(changed))
