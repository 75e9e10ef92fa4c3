"""Room in a case: a router whose state is as a vector tells, asked with one event more."""

from collections.abc import Mapping
from typing import Any, Final

from referral_contracts.codes import Code
from referral_contracts.decisions import read_decision
from referral_contracts.encoding import b64
from referral_contracts.errors import RemoteError
from referral_contracts.lifecycle import Receipt, State
from referral_contracts.topics import H_DECISION, LEDGER
from referral_contracts.verbs import Verb
from referral_router.core.case import Case, Handoff, ghost_key
from referral_router.core.claims import Claim
from referral_router.core.refs import Ref
from tests.services.referral_router.founding import HOTLINE, LEGAL_AID, NOW, POLICE, SCHOOL, WARD, WATCHER
from tests.services.referral_router.world import Said, World

Given = Mapping[str, Any]

SPEAKERS: Final = {"owner": HOTLINE, "party": WARD, "watcher": WATCHER, "stranger": SCHOOL}
RECIPIENTS: Final = {"known": LEGAL_AID, "chosen": LEGAL_AID, "new": POLICE}
_HASH: Final = b64(bytes(32))
_CLAIM: Final = Claim(_HASH, Code.ACCEPTED.value, 1, bytes(32), NOW)


def _id(number: int) -> str:
    return f"{number:08x}-0000-7000-8000-000000000000"


def _holds(holder: Case, source: str, ids: int) -> None:
    for number in range(ids):
        holder.use_up(source, _id(number), _CLAIM)


def _haunts(world: World, case: Said, source: str, ids: int, cases: int) -> None:
    """Let *source*, who is no party, have used ids in this case, and in so many all in all."""
    ghost = Case()
    _holds(ghost, source, ids)
    elsewhere = Case()
    _holds(elsewhere, source, 1)
    value = elsewhere.encode(NOW)
    if ids:
        world.router.restore(ghost_key(case.case, source), ghost.encode(NOW))
    for number in range(cases - bool(ids)):
        world.router.restore(ghost_key(f"{number:032x}", source), value)


def _filled(case: Case, given: Given, speaker: str) -> None:
    ids, handoffs, addresses = given["ids"], given["handoffs"], given["addresses"]
    own = 0 if speaker == SCHOOL else ids["own"]
    case.claims = {}
    _holds(case, speaker, own)
    _holds(case, "others", ids["all"] - (own if speaker in {HOTLINE, WARD} else 0))
    for number in range(handoffs["all"] - len(case.handoffs)):
        opened = sum(one.sender == speaker for one in case.handoffs.values())
        sender = speaker if opened < handoffs["own"] else "others"
        head = Ref.of(_id(number), _HASH)
        case.handoffs[f"{_id(number)} {LEGAL_AID}"] = Handoff(State.ACCEPTED, sender, head, bytes(32), Receipt.RECEIVED)
    known = [*([] if given["recipient"] == "new" else [LEGAL_AID]), *(f"a{number}" for number in range(1024))]
    case.deliveries = dict.fromkeys(known[: addresses["all"]], 1)
    chosen = known[: addresses["own"]] if given["recipient"] != "known" else known[1 : 1 + addresses["own"]]
    case.chosen = {speaker: {*chosen}} if chosen else {}


def _more(world: World, case: Said, duty: Said, given: Given) -> Said:
    """Return the event that is said."""
    speaker, verb, to = SPEAKERS[given["speaker"]], Verb(given["verb"]), RECIPIENTS[given["recipient"]]
    match verb:
        case Verb.RECEIVED:
            return world.say(speaker, verb, HOTLINE, case=case, about=duty.to(WARD), answers=duty)
        case Verb.FORWARDED:
            return world.say(speaker, verb, HOTLINE, to, case=case, about=duty.to(WARD), answers=duty)
        case _:
            return world.say(speaker, verb, to, case=case)


def roomy(given: Given) -> Given:
    """Ask a router; whatever it is refused for but room counts for nothing."""
    ids, handoffs, addresses = given["ids"], given["handoffs"], given["addresses"]
    inside = given["speaker"] in {"owner", "party"}
    named = given["speaker"] in SPEAKERS and given["recipient"] in RECIPIENTS
    if not named or (inside and ids["own"] > ids["all"]) or handoffs["own"] > handoffs["all"]:
        raise RemoteError(Code.MALFORMED_VALUE)
    if addresses["own"] + (given["recipient"] == "known") > addresses["all"]:
        raise RemoteError(Code.MALFORMED_VALUE)
    world = World()
    case = world.open_case()
    duty = world.accepted(world.say(HOTLINE, Verb.ASSIGNED, WARD, case=case))
    speaker = SPEAKERS[given["speaker"]]
    record = Case.decode(world.state[case.case.encode()])
    _filled(record, given, speaker)
    world.router.restore(case.case.encode(), record.encode(NOW))
    if not inside and speaker != WATCHER:
        _haunts(world, case, speaker, ids["own"], ids["cases"])
    step = world.step(world.take([_more(world, case, duty, given)]))
    code = next(read_decision(dict(one.headers)[H_DECISION]).code for one in step.writes if one.topic == LEDGER)
    if code is Code.TOO_MANY:
        raise RemoteError(code)
    assert code is (Code.NOT_FOUND if speaker == SCHOOL else Code.ACCEPTED), code
    return {}
