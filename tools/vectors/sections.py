"""Sealed sections: opened, and everything that a dishonest sender, co-reader or broker may try; and what is inside."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_contracts.codes import Code
from referral_contracts.encoding import b64, jcs
from referral_contracts.envelope import HandoffKey, case_pseudonym, seal_context
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.stats import Timeliness, stats_of
from referral_contracts.sealing import SealContext, _aad, _expand, _pad
from referral_contracts.sections import encode_section
from referral_contracts.wire import Section
from tools.vectors.cast import BUS, HOSPITAL, HOTLINE, WATCHER, Agency, event_id, secret
from tools.vectors.frozen import Frozen
from tools.vectors.seals import cek_of, sealed
from tools.vectors.story import INTAKE, REQUEST
from tools.vectors.vector import Vector, fault, octets, valid

_SUBJECT: Final = case_pseudonym(BUS, HOTLINE.id, event_id(1))
_HANDOFF: Final = HandoffKey(opening=event_id(2), recipient=HOSPITAL.id)
_OPENING: Final = seal_context(BUS, event_id(2), HOTLINE.id, _SUBJECT, None, 0)
_ANSWER: Final = seal_context(BUS, event_id(3), HOSPITAL.id, _SUBJECT, _HANDOFF, 1)
_PLAIN: Final = b'{"body":{"actor":{"role":"system"}},"schema":"receipt/1.0"}'
_BOTH: Final = (HOTLINE, HOSPITAL)
_WRONG: Final = Code.WRONG_COMMITMENT


def cases(frozen: Frozen) -> Iterator[Vector]:
    yield from _opened(frozen)
    yield from _changed(frozen)
    yield from _crafted(frozen)
    yield from _disclosed(frozen)
    yield from _bodies()


def _members(section: Section | dict[str, Any], context: SealContext, handoff: HandoffKey | None) -> dict[str, object]:
    told = {
        "bus": context.bus,
        "id": context.event_id,
        "source": context.source,
        "subject": context.subject,
        "handoff": None if handoff is None else handoff.model_dump(),
        "section": context.section,
    }
    return {"section": section.model_dump() if isinstance(section, Section) else section, "context": told}


def _given(
    section: Section | dict[str, Any],
    reader: Agency = HOSPITAL,
    *,
    context: SealContext = _OPENING,
    handoff: HandoffKey | None = None,
    address: str | None = None,
) -> dict[str, object]:
    return {
        **_members(section, context, handoff),
        "address": address or reader.id,
        "secret": {"base64url": b64(reader.sealing.to_bytes())},
    }


def _opened(frozen: Frozen) -> Iterator[Vector]:
    opening = sealed(frozen, _OPENING, _BOTH, _PLAIN)
    cek = b64(cek_of(_OPENING))
    for reader, name in ((HOSPITAL, "section"), (HOTLINE, "section_by_its_sender")):
        comment = f"of an opening event, which is its own place; opened by {reader.id}"
        yield valid("section", name, comment, **_given(opening, reader), plaintext=octets(_PLAIN), cek=cek)
    yield valid(
        "section",
        "section_of_an_answer",
        "second section of an answer, bound to its hand-off",
        **_given(sealed(frozen, _ANSWER, (HOTLINE,), _PLAIN), HOTLINE, context=_ANSWER, handoff=_HANDOFF),
        plaintext=octets(_PLAIN),
        cek=b64(cek_of(_ANSWER)),
    )
    full = b"x" * 1020
    context = replace(_OPENING, section="s1")
    yield valid(
        "section",
        "section_full",
        "1020 bytes fill 1 KiB with their length",
        **_given(sealed(frozen, context, (HOSPITAL,), full), context=context),
        plaintext=octets(full),
        cek=b64(cek_of(context)),
    )


def _changed(frozen: Frozen) -> Iterator[Vector]:
    kind, section = "section", sealed(frozen, _OPENING, _BOTH, _PLAIN)
    told = section.model_dump()
    yield fault(
        Code.NOT_A_READER, kind, "section_other_key", "a key that is not among the readers", **_given(section, WATCHER)
    )
    yield fault(
        Code.NOT_A_READER,
        kind,
        "section_other_address",
        "a reader's key, at another address",
        **_given(section, address="hospital-c/emergency"),
    )
    other = replace(_OPENING, event_id=event_id(7))
    yield fault(_WRONG, kind, "section_in_another_event", "moved to another event", **_given(section, context=other))
    other = replace(_OPENING, section="s1")
    yield fault(_WRONG, kind, "section_in_another_place", "moved from s0 to s1", **_given(section, context=other))
    yield fault(
        _WRONG,
        kind,
        "section_on_another_bus",
        "moved from training to production",
        **_given(section, context=replace(_OPENING, bus="production")),
    )
    commit = b64(secret("another commitment", 32))
    yield fault(_WRONG, kind, "section_other_commitment", "another commit", **_given({**told, "commit": commit}))
    content = told["content"]
    swapped = ("B" if content[0] == "A" else "A") + content[1:]
    yield fault(_WRONG, kind, "section_other_content", "six bits changed", **_given({**told, "content": swapped}))
    alone = [reader for reader in told["readers"] if reader["address"] == HOSPITAL.id]
    yield fault(
        _WRONG, kind, "section_reader_hidden", "a reader taken off the list", **_given({**told, "readers": alone})
    )
    moved = [{**told["readers"][0], "enc": told["readers"][1]["enc"]}, told["readers"][1]]
    victim = next(agency for agency in _BOTH if agency.sealing.kid == moved[0]["kid"])
    yield fault(
        _WRONG, kind, "section_enc_of_another", "another reader's enc", **_given({**told, "readers": moved}, victim)
    )
    stray = content[:-1] + chr(ord(content[-1]) + 1)
    yield fault(
        Code.MALFORMED_SECTION,
        kind,
        "section_stray_bits",
        "content whose unused bits are not zero",
        **_given({**told, "content": stray}),
    )


def _crafted(frozen: Frozen) -> Iterator[Vector]:
    kind = "section"
    other = secret("a second content key", 32)
    two = sealed(frozen, _OPENING, _BOTH, _PLAIN, ceks={HOSPITAL.id: other})
    yield fault(
        _WRONG,
        kind,
        "section_of_two_keys",
        "a dishonest sender gave this reader another key, under which the content could say something else",
        **_given(two),
    )
    framed = len(_PLAIN).to_bytes(4, "big") + _PLAIN
    padded = {
        "section_padding_not_zero": (framed.ljust(1023, b"\0") + b"\1", "a byte that is not zero at the end"),
        "section_padded_too_far": (framed.ljust(2048, b"\0"), "2 KiB where 1 KiB would do"),
        "section_longer_than_it_is": ((1021).to_bytes(4, "big") + bytes(1020), "a length past the end"),
        "section_length_of_4_gib": (b"\xff" * 4 + bytes(1020), "a length of 2^32 - 1"),
    }
    for name, (whole, comment) in padded.items():
        section = sealed(frozen, _OPENING, (HOSPITAL,), padded=whole)
        yield fault(Code.MALFORMED_SECTION, kind, name, comment, **_given(section))
    key, nonce, commit = _expand(cek_of(_OPENING), _OPENING.info())
    bare = AESGCM(key).encrypt(nonce, _pad(_PLAIN), _aad(_OPENING.info(), ()))
    honest = sealed(frozen, _OPENING, (HOSPITAL,), _PLAIN).model_dump()
    yield fault(
        _WRONG,
        kind,
        "section_readers_not_bound",
        "sealed over no key ids, so that readers could be hidden",
        **_given({**honest, "commit": b64(commit), "content": b64(bare)}),
    )


def _disclosed(frozen: Frozen) -> Iterator[Vector]:
    kind, section = "disclosed-section", sealed(frozen, _OPENING, _BOTH, _PLAIN)
    given = _members(section, _OPENING, None)
    yield valid(
        kind, "disclosed", "by its content key", **given, cek=octets(cek_of(_OPENING)), plaintext=octets(_PLAIN)
    )
    for name, comment, cek in (
        ("disclosed_other_key", "a key of somebody's choice", secret("a lie", 32)),
        ("disclosed_short_key", "31 bytes", cek_of(_OPENING)[:31]),
    ):
        yield fault(_WRONG, kind, name, comment, **given, cek={"base64url": b64(cek)})


def _bodies() -> Iterator[Vector]:
    kind = "body"
    body = {"actor": {"role": "system"}}
    counted = stats_of(INTAKE, date(2026, 11, 20), Timeliness.IN_TIME)
    bodies: tuple[tuple[Payload, str], ...] = (
        (INTAKE, "body_mau01"),
        (REQUEST, "body_handoff_request"),
        (counted, "body_stats"),
    )
    for payload, name in bodies:
        plaintext = encode_section(payload)
        yield valid(kind, name, "as written", plaintext=octets(plaintext), schema=payload.schema_id(), unknown=[])
    newer = jcs({"body": {**body, "stamped": True, "actor": {"role": "system", "rank": "3"}}, "schema": "receipt/1.7"})
    yield valid(
        kind,
        "body_of_a_newer_minor_version",
        "fields of a later version are kept, at every depth",
        plaintext=octets(newer),
        schema="receipt/1.7",
        unknown=["actor.rank", "stamped"],
    )
    yield from _answers()
    spaced = b'{ "schema": "receipt/1.0", "body": {"actor": {"role": "system"}} }'
    yield valid(
        kind, "body_not_canonical", "a reader takes it", plaintext=octets(spaced), schema="receipt/1.0", unknown=[]
    )
    malformed, unknown = Code.MALFORMED_SECTION, Code.UNKNOWN_SCHEMA
    faults = {
        "body_unknown_name": (unknown, {"body": body, "schema": "weather/1.0"}, "no such form"),
        "body_unknown_major_version": (unknown, {"body": body, "schema": "receipt/2.0"}, "a form of another kind"),
        "body_schema_with_leading_zero": (unknown, {"body": body, "schema": "receipt/01.0"}, "a version in no form"),
        "body_without_actor": (malformed, {"body": {}, "schema": "receipt/1.0"}, "nobody said it"),
        "body_not_an_object": (malformed, {"body": [], "schema": "receipt/1.0"}, "a list for a body"),
        "body_strange_member": (malformed, {"body": body, "more": 1, "schema": "receipt/1.0"}, "a third member"),
    }
    for name, (code, told, comment) in faults.items():
        yield fault(code, kind, name, comment, plaintext=octets(jcs(told)))
    yield fault(Code.MALFORMED_JSON, kind, "body_not_json", "no JSON", plaintext=octets(b"hello"))
    undated = counted.model_dump(mode="json", exclude={"received_on"}, exclude_none=True)
    told = octets(jcs({"body": undated, "schema": counted.schema_id()}))
    yield fault(malformed, kind, "body_stats_without_a_day", "it would be counted in no period", plaintext=told)


def _answers() -> Iterator[Vector]:
    """Yield answers that are not on the list, in this minor version and in a newer one; and a document in a form."""
    kind, actor = "body", {"role": "system"}
    enclosed = {"content": b64(b"scan"), "media_type": "application/pdf"}
    note = {"actor": actor, "enclosed": enclosed, "text": "a note"}
    whole = jcs({"body": note, "schema": "note/1.0"})
    comment = "a small document in the form itself"
    yield valid(kind, "body_note_with_a_document", comment, plaintext=octets(whole), schema="note/1.0", unknown=[])
    stray = jcs({"body": {**note, "enclosed": {**enclosed, "content": "AB"}}, "schema": "note/1.0"})
    malformed = Code.MALFORMED_SECTION
    yield fault(malformed, kind, "body_with_an_enclosed_document_misspelled", "unused bits", plaintext=octets(stray))
    told = {"actor": actor, "contact": {"strange": 1}}
    for version, name in (("1.0", "body_with_an_unknown_answer"), ("1.3", "body_of_a_newer_minor_with_an_answer")):
        plaintext = octets(jcs({"body": told, "schema": f"acceptance/{version}"}))
        if version == "1.0":
            yield fault(malformed, kind, name, "an answer that is none in this version", plaintext=plaintext)
        else:
            came = {"schema": f"acceptance/{version}", "unknown": ["contact"]}
            yield valid(kind, name, "what is new in a later version is kept", plaintext=plaintext, **came)
