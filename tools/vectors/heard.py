"""What a receiver makes of what it was sent: claims, links told to the watcher, documents, corrections."""

from collections.abc import Iterator
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_contracts.clocks import derive_clock
from referral_contracts.codes import Code
from referral_contracts.encoding import b64, event_hash, format_time, sha256
from referral_contracts.envelope import Envelope, EventData, EventRef, HandoffKey, case_pseudonym
from referral_contracts.payloads.actor import Actor, Channel, Happening, Role
from referral_contracts.payloads.handoff import Acceptance
from referral_contracts.payloads.link import Link, Relation, Unlinking, UnlinkingReason
from referral_contracts.payloads.payload import Payload
from referral_contracts.sections import encode_section
from referral_contracts.verbs import Verb
from tools.vectors.cast import BUS, HOSPITAL, HOTLINE, START, event_id, secret
from tools.vectors.story import SYSTEM
from tools.vectors.vector import Vector, fault, octets, valid

_AWAY: Final = "temple-g"
_SUBJECT: Final = case_pseudonym(BUS, HOTLINE.id, event_id(1))
_OTHERS: Final = "ab" * 16, "cd" * 16


def cases() -> Iterator[Vector]:
    yield from _claims()
    yield from _links()
    yield from _documents()
    yield from _corrections()


def _claims() -> Iterator[Vector]:
    own = Actor(role=Role.HEALTH_WORKER)
    for_another = own.model_copy(update={"acting_for": _AWAY})
    heard = Happening(channel=Channel.PHONE, person="Sư cô trụ trì", paper_number="12/BC")

    def told(name: str, comment: str, body: Payload, claim: dict[str, str] | None) -> Vector:
        plaintext = octets(encode_section(body))
        return valid("claim", name, comment, source=HOSPITAL.id, plaintext=plaintext, claim=claim)

    yield told("claim_by_nobody", "its own word", Acceptance(actor=own, happened=heard), None)
    itself = own.model_copy(update={"acting_for": HOSPITAL.id})
    yield told("claim_for_itself", "who acts for itself says it itself", Acceptance(actor=itself), None)
    by = {"agency": _AWAY, "by": HOSPITAL.id}
    yield told("claim_unexplained", "nobody says how it was heard", Acceptance(actor=for_another), by)
    whole = {**by, "channel": "phone", "person": "Sư cô trụ trì", "paper_number": "12/BC"}
    yield told("claim", "another's word, and how it was heard", Acceptance(actor=for_another, happened=heard), whole)


def _links() -> Iterator[Vector]:
    def told(name: str, comment: str, verb: Verb, body: Link | Unlinking) -> Vector:
        clock = encode_section(derive_clock(verb, body, sender=HOTLINE.id))
        plaintext = octets(encode_section(body))
        return valid("clock-links", name, comment, plaintext=plaintext, clock=octets(clock))

    link = Link(actor=SYSTEM, relation=Relation.SAME_INCIDENT, others=_OTHERS)
    yield told("links", "of the same incident, two others", Verb.CASE_LINKED, link)
    twice = link.model_copy(update={"others": (*_OTHERS, *_OTHERS)})
    yield told("links_told_twice", "a case that is named twice counts once", Verb.CASE_LINKED, twice)
    relayed = link.model_copy(update={"actor": Actor(role=Role.DUTY_OFFICER, staff_number="17", acting_for=_AWAY)})
    yield told("links_for_another", "the watcher is told for whom, and of nobody's number", Verb.CASE_LINKED, relayed)
    none = link.model_copy(update={"others": ()})
    yield told("links_to_nothing", "no other is named", Verb.CASE_LINKED, none)
    end = Unlinking(actor=SYSTEM, reason=UnlinkingReason.WRONG_CASE, others=_OTHERS[:1])
    yield told("links_taken_back", "without a relation", Verb.CASE_UNLINKED, end)


def _documents() -> Iterator[Vector]:
    kind, wrong = "document", Code.WRONG_DOCUMENT
    meant, other = "Biên bản số 7".encode(), "Biên bản số 8".encode()
    key, nonce = secret("a document's key", 32), secret("a document's nonce", 12)
    whole = {"sha256": b64(sha256(meant)), "size": len(meant)}
    locked = {**whole, "key": b64(key)}

    def kept(document: bytes, under: bytes = key) -> bytes:
        return nonce + AESGCM(under).encrypt(nonce, document, None)

    def told(reference: dict[str, object], stored: bytes) -> dict[str, object]:
        return {"reference": reference, "stored": octets(stored)}

    yield valid(kind, "document_locked", "as it was kept", **told(locked, kept(meant)), document=octets(meant))
    yield valid(kind, "document_open", "kept as it is", **told(whole, meant), document=octets(meant))
    unsized = {"sha256": whole["sha256"]}
    yield valid(kind, "document_without_size", "its hash is enough", **told(unsized, meant), document=octets(meant))
    yield fault(wrong, kind, "document_other", "it opens, and is another", **told(locked, kept(other)))
    yield fault(wrong, kind, "document_other_open", "another", **told(whole, other))
    yield fault(wrong, kind, "document_of_another_size", "as the reference says", **told({**whole, "size": 7}, meant))
    elsewhere = kept(meant, secret("another document's key", 32))
    yield fault(wrong, kind, "document_under_another_key", "does not open", **told(locked, elsewhere))
    yield fault(wrong, kind, "document_cut", "the end is missing", **told(locked, kept(meant)[:-1]))
    yield fault(wrong, kind, "document_too_short", "shorter than a nonce", **told(locked, nonce[:11]))
    yield fault(wrong, kind, "document_not_locked", "kept open, against its reference", **told(locked, meant))
    unnamed: dict[str, object] = {"size": len(meant)}
    yield fault(
        Code.INCOMPLETE_INPUT, kind, "document_without_hash", "nothing says which is meant", **told(unnamed, meant)
    )


def _event(
    number: int,
    verb: Verb,
    *,
    source: str = HOTLINE.id,
    subject: str = _SUBJECT,
    handoff: HandoffKey | None = None,
    supersedes: EventRef | None = None,
) -> Envelope:
    to = HOSPITAL.id if source == HOTLINE.id else HOTLINE.id
    return Envelope(
        bus=BUS,
        data=EventData(handoff=handoff, recipients=(to,), sections=(), supersedes=supersedes),
        exercise=True,
        id=event_id(number),
        source=source,
        subject=subject,
        time=format_time(START),
        type=verb.type,
    )


def _ref(event: Envelope) -> EventRef:
    return EventRef(id=event.id, sha256=event_hash(event.encode()))


def _corrections() -> Iterator[Vector]:
    def told(name: str, comment: str, correction: Envelope, corrects: str, *more: Envelope) -> Vector:
        held = [octets(event.encode()) for event in (offer, note, answer, *more)]
        value = octets(correction.encode())
        return valid("correction", name, comment, held=held, value=value, corrects=corrects)

    key = HandoffKey(opening=event_id(2), recipient=HOSPITAL.id)
    offer, note = _event(2, Verb.OFFERED), _event(3, Verb.CASE_NOTED)
    answer = _event(4, Verb.ACCEPTED, source=HOSPITAL.id, handoff=key)

    def corrects(wrong: Envelope, handoff: HandoffKey | None, *, source: str = HOTLINE.id) -> Envelope:
        verb = Verb.CASE_CORRECTED if handoff is None else Verb.CORRECTED
        return _event(9, verb, source=source, handoff=handoff, supersedes=_ref(wrong))

    yield told("correction_of_an_opening", "in the hand-off that it opened", corrects(offer, key), "held")
    own = corrects(answer, key, source=HOSPITAL.id)
    yield told("correction_of_an_answer", "in the same hand-off", own, "held")
    yield told("correction_of_a_note", "about the same case", corrects(note, None), "held")
    unheard = corrects(_event(7, Verb.OFFERED), key)
    yield told("correction_of_what_is_not_held", "nobody told us that", unheard, "not-held")
    yield told("correction_of_anothers", "not its sender's to correct", corrects(answer, key), "elsewhere")
    yield told("correction_out_of_place", "a note is in no hand-off", corrects(note, key), "elsewhere")
    yield told("correction_of_a_hand_off_as_a_case", "the other way", corrects(offer, None), "elsewhere")
    stray = key.model_copy(update={"opening": event_id(5)})
    yield told("correction_in_another_handoff", "of the same case", corrects(offer, stray), "elsewhere")
    first = corrects(offer, key)
    again = _event(10, Verb.CORRECTED, handoff=key, supersedes=_ref(first))
    yield told("correction_of_a_correction", "it names what was wrong at first", again, "elsewhere", first)
    misnamed = EventRef(id=event_id(8), sha256=_ref(offer).sha256)
    under = _event(9, Verb.CORRECTED, handoff=key, supersedes=misnamed)
    yield told("correction_under_another_id", "id and hash have to match", under, "elsewhere")
    elsewhere = _event(9, Verb.CASE_CORRECTED, subject="0" * 32, supersedes=_ref(note))
    yield told("correction_in_another_case", "said of another case", elsewhere, "elsewhere")
