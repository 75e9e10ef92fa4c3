"""How each kind of vector is tried against the code. Told only what a vector tells; the generator is not asked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from referral_bus._corrections import fits
from referral_bus.views import Corrects
from referral_contracts import decisions, lifecycle, merkle, topics
from referral_contracts.clocks import derive_clock
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot, apply, assemble, entries_root
from referral_contracts.directory_model import Change, Entry, Head, Policy, SignedHead
from referral_contracts.directory_shelf import Shelf
from referral_contracts.documents import unlock
from referral_contracts.encoding import b64, event_hash, format_time, jcs, lp, parse_json, parse_time, unb64
from referral_contracts.envelope import Envelope, HandoffKey, case_pseudonym, seal_context
from referral_contracts.errors import RemoteError
from referral_contracts.keys import SealingKey, SealingPublic, SigningKey, VerifyKey
from referral_contracts.notices import notice_id
from referral_contracts.payloads.document import Document
from referral_contracts.payloads.link import Link, Unlinking
from referral_contracts.payloads.relay import claim_of
from referral_contracts.rules.calendar import Calendar, Due, due
from referral_contracts.rules.clock import clock_id
from referral_contracts.rules.days import calendar_in
from referral_contracts.rules.pack import Counting
from referral_contracts.rules.reckoning import late_as_told
from referral_contracts.rules.spans import Span, Unit
from referral_contracts.sealing import SealContext, disclose, open_disclosed, unseal
from referral_contracts.sections import encode_section, read_section
from referral_contracts.signing import Typ, parse_signature, verify
from referral_contracts.succession import reached, speaker, takers
from referral_contracts.ticks import tick_statement
from referral_contracts.verbs import Verb
from referral_contracts.wire import Section
from tests.contracts.vector_clocks import bounded, certain, compared
from tests.contracts.vector_inbox import received
from tests.contracts.vector_life import live
from tests.contracts.vector_log import LOG_RUNNERS
from tests.contracts.vector_rooms import roomy
from tests.contracts.vector_submissions import submitted

Given = Mapping[str, Any]


def octets(told: Mapping[str, Any]) -> bytes:
    """Return the bytes that a vector writes as text, repeated text, or base64url."""
    if told.keys() == {"base64url"}:
        return unb64(told["base64url"])
    assert told.keys() <= {"utf8", "times"}
    return str(told["utf8"]).encode() * int(told.get("times", 1))


def same(encoded: bytes, value: bytes) -> None:
    """What is taken is written again to the byte."""
    assert encoded == value


def noticed(given: Given) -> Given:
    told = {name: given[name] for name in ("bus", "subject", "about", "recipient", "level", "step")}
    return {"id": notice_id(**told, verb=Verb(given["verb"]))}


def base64url(given: Given) -> Given:
    data = unb64(given["text"], given["size"])
    same(b64(data).encode(), given["text"].encode())
    return {"bytes": data}


def body(given: Given) -> Given:
    plaintext = octets(given["plaintext"])
    read = read_section(plaintext)
    if read.code is not None:
        raise RemoteError(read.code)
    if not read.unknown and read.payload is not None and jcs(parse_json(plaintext)) == plaintext:
        same(encode_section(read.payload), plaintext)
    return {"schema": read.schema, "unknown": sorted(item.path for item in read.unknown)}


def change(given: Given) -> Given:
    root = TrustRoot.decode(jcs(given["trust_root"]))
    directory: Directory | None = None
    kids: dict[str, str] = {}
    for earlier in given["before"]:
        directory, kids = _applied(directory, octets(earlier), root, kids)
    value = octets(given["value"])
    found, _ = _applied(directory, value, root, kids)
    same(Change.decode(value).encode(), value)
    return {"version": found.version, "root": found.head.root}


def _applied(
    directory: Directory | None, value: bytes, root: TrustRoot, kids: dict[str, str]
) -> tuple[Directory, dict[str, str]]:
    told = Change.decode(value)
    found = apply(directory, told, root, kids)
    return found, kids | {key.kid: entry.id for entry in told.data.agencies for key in entry.keys}


def leaf(read: Callable[[bytes], object]) -> Callable[[Given], Given]:
    def run(given: Given) -> Given:
        value = octets(given["leaf"])
        read(value)
        return {"hash": b64(merkle.leaf_hash(value))}

    return run


def directory(given: Given) -> Given:
    root = TrustRoot.decode(jcs(given["trust_root"]))
    in_use = None
    if given["in_use"] is not None:
        in_use = Directory(head=SignedHead.decode(octets(given["in_use"])).head, entries={})
    shelf = Shelf(root, in_use)
    for key, value in given["entries"].items():
        shelf.take(key.encode(), None if value is None else octets(value))
    refuse(shelf.fault)
    entries = {key: octets(value) for key, value in given["entries"].items()}
    found = assemble(entries, SignedHead.decode(octets(given["head"])), root, in_use)
    refuse(Shelf(root, found).unusable(parse_time(given["at"])))
    return {"version": found.version}


def refuse(code: Code | None) -> None:
    if code is not None:
        raise RemoteError(code)


def decoded(model: type[Entry | Policy | SignedHead | TrustRoot]) -> Callable[[Given], Given]:
    def run(given: Given) -> Given:
        value = octets(given["value"])
        same(model.decode(value).encode(), value)
        return {}

    return run


def envelope(given: Given) -> Given:
    value = octets(given["value"])
    found = Envelope.decode(value)
    same(found.encode(), value)
    return {"verb": found.verb.value, "event": event_hash(value)}


def head_signatures(given: Given) -> Given:
    TrustRoot.decode(jcs(given["trust_root"])).check_head(SignedHead.decode(octets(given["head"])))
    return {}


def merkle_path(given: Given) -> Given:
    merkle.verify_path(
        unb64(given["leaf_hash"]), given["index"], given["size"], unb64(given["path"]), unb64(given["root"])
    )
    return {}


def merkle_tree(given: Given) -> Given:
    root, paths = merkle.paths([merkle.leaf_hash(octets(item)) for item in given["leaves"]])
    return {"root": b64(root), "paths": [b64(path) for path in paths]}


def proof(given: Given) -> Given:
    decisions.verify_leaf(
        octets(given["leaf"]),
        octets(given["path"]),
        octets(given["root"]),
        bus=given["bus"],
        partition=given["partition"],
        key=VerifyKey.load(octets(given["public"])),
    )
    return {}


def place(told: Given) -> SealContext:
    handoff = None if told["handoff"] is None else HandoffKey(**told["handoff"])
    number = int(told["section"].removeprefix("s"))
    return seal_context(told["bus"], told["id"], told["source"], told["subject"], handoff, number)


def section(given: Given) -> Given:
    sealed, context = Section.model_validate_json(jcs(given["section"])), place(given["context"])
    key = SealingKey.from_bytes(octets(given["secret"]))
    plaintext = unseal(sealed, context, given["address"], key)
    cek = disclose(sealed, context, given["address"], key)
    assert open_disclosed(sealed, context, cek) == plaintext
    return {"plaintext": plaintext, "cek": b64(cek)}


def disclosed_section(given: Given) -> Given:
    sealed = Section.model_validate_json(jcs(given["section"]))
    return {"plaintext": open_disclosed(sealed, place(given["context"]), octets(given["cek"]))}


def signature(given: Given) -> Given:
    typ, key, payload = Typ(given["typ"]), VerifyKey.admit(octets(given["public"])), octets(given["payload"])
    text = octets(given["text"])
    found = parse_signature(text, typ)
    verify(key, found, payload)
    same(found.encode(), text)
    same(SigningKey.from_seed(unb64(given["seed"])).sign(typ, payload).encode(), text)
    return {"seed": given["seed"]}


def step(
    states: type[lifecycle.CaseState | lifecycle.State], advance: Callable[[Any, Verb, lifecycle.Part], object]
) -> Callable[[Given], Given]:
    def run(given: Given) -> Given:
        return {"after": advance(states(given["state"]), Verb(given["verb"]), lifecycle.Part(given["part"]))}

    return run


def claim(given: Given) -> Given:
    payload = read_section(octets(given["plaintext"])).payload
    found = None if payload is None else claim_of(payload, given["source"])
    told = None if found is None else {name: value for name, value in asdict(found).items() if value is not None}
    return {"claim": told}


def clock_links(given: Given) -> Given:
    payload = read_section(octets(given["plaintext"])).payload
    if not isinstance(payload, Link | Unlinking):
        raise RemoteError(Code.MALFORMED_SECTION)
    verb = Verb.CASE_LINKED if isinstance(payload, Link) else Verb.CASE_UNLINKED
    return {"clock": encode_section(derive_clock(verb, payload, sender="anybody"))}


def correction(given: Given) -> Given:
    told = Envelope.decode(octets(given["value"]))
    named = told.data.supersedes
    if named is None:
        raise RemoteError(Code.MALFORMED_ENVELOPE)
    held = [Envelope.decode(value) for value in map(octets, given["held"]) if event_hash(value) == named.sha256]
    corrects = Corrects.HELD if any(fits(wrong, told, named) for wrong in held) else Corrects.ELSEWHERE
    return {"corrects": corrects if held else Corrects.NOT_HELD}


def _spanned(given: Given) -> tuple[Calendar, Callable[[int], Due]]:
    calendar = calendar_in(given["announced"], given["days"])
    paused, lost = ([(parse_time(begin), parse_time(end)) for begin, end in given[name]] for name in ("paused", "lost"))
    span = Span(Unit(given["limit"]["unit"]), given["limit"]["amount"])
    counting = Counting.model_validate_json(jcs(given["counting"]))
    return calendar, lambda start_ms: due(calendar, start_ms, span, counting, paused, lost=lost)


def reckoned(given: Given) -> Given:
    calendar, from_start = _spanned(given)
    found = from_start(parse_time(given["start"]))
    return {
        "due_at": format_time(found.strict_ms),
        "late_after": format_time(found.lenient_ms),
        "provisional": found.provisional,
        "calendar": calendar.version,
    }


def reckoned_as_told(given: Given) -> Given:
    _, from_start = _spanned(given)
    starts = sorted((parse_time(told), parse_time(moment)) for moment, told in given["starts"])
    found = from_start(min(moment for _, moment in starts))
    kept = late_as_told(
        [(moment, told, None) for told, moment in starts],
        lambda moment: from_start(moment).lenient_ms,
        given["settle"],
    )
    return {
        "due_at": format_time(found.strict_ms),
        "late_after": format_time(max(found.lenient_ms, kept or 0)),
    }


def document(given: Given) -> Given:
    return {"document": unlock(octets(given["stored"]), Document.model_validate_json(jcs(given["reference"])))}


def succession(given: Given) -> Given:
    at, entries = given["at"], {key: octets(value) for key, value in given["entries"].items()}
    head = Head(
        bus="training",
        entries=len(entries),
        expires=at,
        issued=at,
        root=b64(entries_root(entries)),
        version=1,
        wire=(),
    )
    found, agency = Directory(head=head, entries=entries), topics.agency_of(given["address"])
    return {
        "speaker": speaker(found, agency, parse_time(at)),
        "reached": reached(found, given["address"], parse_time(at)),
        "takers": sorted(takers(found, agency)),
    }


def recall(given: Given) -> Given:
    state = lifecycle.State(given["state"])
    lifecycle.check_held(state, Verb.RECALLED, lifecycle.Receipt(given["receipt"]))
    return {"after": lifecycle.advance_handoff(state, Verb.RECALLED, lifecycle.Part.SENDER)}


RUNNERS: Mapping[str, Callable[[Given], Given]] = {
    **LOG_RUNNERS,
    "base64url": base64url,
    "body": body,
    "claim": claim,
    "clock-bounds": bounded,
    "clock-compared": compared,
    "clock-links": clock_links,
    "clock-name": lambda given: {
        "clock": clock_id(given["bus"], given["subject"], given["rule"], given["scope"], given["cycle"])
    },
    "correction": correction,
    "case-step": step(lifecycle.CaseState, lifecycle.advance_case),
    "certainty": certain,
    "change": change,
    "decision": leaf(decisions.read_decision),
    "delivery": leaf(decisions.read_delivery),
    "directory": directory,
    "document": document,
    "disclosed-section": disclosed_section,
    "due": reckoned,
    "due-told": reckoned_as_told,
    "entry": decoded(Entry),
    "envelope": envelope,
    "handoff-step": step(lifecycle.State, lifecycle.advance_handoff),
    "head-signatures": head_signatures,
    "inbox": received,
    "json": lambda given: {"canonical": jcs(parse_json(octets(given["bytes"])))},
    "length-prefix": lambda given: {"bytes": lp(*map(octets, given["parts"]))},
    "life": live,
    "merkle-path": merkle_path,
    "merkle-tree": merkle_tree,
    "notice-id": noticed,
    "partition": lambda given: {"partition": topics.partition_for(given["subject"], given["partitions"])},
    "policy": decoded(Policy),
    "proof": proof,
    "pseudonym": lambda given: {"subject": case_pseudonym(given["bus"], given["source"], given["id"])},
    "recall": recall,
    "receipt-step": lambda given: {
        "after": lifecycle.advance_receipt(lifecycle.Receipt(given["receipt"]), Verb(given["verb"]))
    },
    "room": roomy,
    "sealing-key": lambda given: {"kid": SealingPublic.admit(octets(given["public"])).kid},
    "section": section,
    "signature": signature,
    "signed-head": decoded(SignedHead),
    "signing-key": lambda given: {"kid": VerifyKey.admit(octets(given["public"])).kid},
    "submission": submitted,
    "succession": succession,
    "tick": lambda given: {"bytes": tick_statement(given["bus"], given["partition"], given["time"])},
    "time": lambda given: {"ms": parse_time(given["text"])},
    "trust-root": decoded(TrustRoot),
    "verdict": leaf(decisions.read_verdict),
}


def causes(error: BaseException | None) -> Iterable[BaseException]:
    """Go through an error and everything that it was made of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
