"""Whoever is no party of a case learns nothing of it: not even that there is one."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.encoding import b64
from referral_contracts.envelope import EventRef, HandoffKey
from referral_contracts.records import Write
from referral_contracts.verbs import Verb
from referral_router.core.fold import MAX_GHOST_CLAIMS
from tests.services.referral_router.founding import CLINIC, DAY, HOSPITAL, HOTLINE, POLICE, WARD
from tests.services.referral_router.world import Said, World, new_id


@dataclass
class Scene:
    """A bus on which there is a case, or there is none; the clinic is not in it."""

    world: World = field(default_factory=World)
    case: str = "0" * 32
    event: EventRef = field(default_factory=lambda: EventRef(id=new_id(), sha256=b64(bytes(32))))
    handoff: HandoffKey = field(default_factory=lambda: HandoffKey(opening=new_id(), recipient=WARD))

    def answers(self) -> Said:
        return Said(source=HOTLINE, id=self.event.id, case=self.case, value=b"", signature=b"")

    def say(self, verb: Verb, *to: str, source: str = CLINIC) -> Said:
        named = verb not in (Verb.CASE_OPENED, Verb.CASE_NOTED, Verb.OFFERED, Verb.ASSIGNED, Verb.NOTIFIED)
        about = None if verb.of_case or not named else self.handoff
        answers = self.answers() if named else None
        return self.world.say(source, verb, *to, case=self.case, about=about, answers=answers)


def absent() -> Scene:
    scene = Scene()
    # Something to make the two ledgers equally long.
    scene.world.open_case()
    other = scene.world.open_case()
    scene.world.accepted(scene.world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=other))
    return scene


def open_case() -> Scene:
    world = World()
    case = world.open_case()
    offer = world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, POLICE, case=case))
    world.accepted(world.say(HOTLINE, Verb.NOTIFIED, HOSPITAL, case=case))
    return Scene(world, case.case, offer.ref, offer.to(WARD))


def closed_case() -> Scene:
    world = World()
    case = world.open_case()
    world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, WARD, case=case, answers=case))
    world.open_case()
    return Scene(world, case.case, case.ref, case.to(WARD))


def archived_case() -> Scene:
    world = World()
    case = world.open_case()
    world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, WARD, case=case, answers=case))
    world.now += DAY
    world.open_case()
    assert len(world.state[case.case.encode()]) <= 128
    return Scene(world, case.case, case.ref, case.to(WARD))


SCENES: Mapping[str, Callable[[], Scene]] = {
    "open": open_case,
    "closed": closed_case,
    "archived": archived_case,
}


def shape(writes: list[Write], scene: Scene) -> object:
    """Everything that a judgement leaves behind, without what differs between any two."""

    def leaf(value: bytes | None) -> object:
        told: dict[str, Any] = json.loads(value or b"{}")
        individual = ("id", "event", "subject", "previous", "decision", "counter", "offset", "admitted", "stamp")
        return {name: "…" if name in (*individual, "clock_offset_ms", "first") else text for name, text in told.items()}

    told: list[object] = []
    for write in writes:
        headers = dict(write.headers)
        own = b"".join([write.key or b"", b"|", write.value or b""]).replace(scene.case.encode(), b"case")
        if write.topic == topics.STATE:
            told.append((write.topic, len(own)))
        elif headers[topics.H_KIND] == topics.KIND_VERDICT:
            told.append((write.topic, leaf(write.value), len(write.value or b"")))
        else:
            told.append((write.topic, leaf(headers[topics.H_DECISION])))
    return told


def nowhere_like(scene: Scene) -> Scene:
    other = absent()
    other.world.now = scene.world.now
    return other


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("to", [(), (HOTLINE,), (WARD, POLICE)], ids=len)
def test_a_stranger_gets_exactly_what_it_would_get_of_no_case(
    name: str, to: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    # There are more verbs than ids that one who is no party may use up.
    monkeypatch.setattr("referral_router.core.fold.MAX_GHOST_CLAIMS", 2 * len(Verb))
    there = SCENES[name]()
    nowhere = nowhere_like(there)
    for number, verb in enumerate(Verb):
        if number == MAX_GHOST_CLAIMS:
            # A stranger has no more ids of one case remembered than that: the others are said of another case.
            there = SCENES[name]()
            nowhere = nowhere_like(there)
        seen = []
        for scene in (there, nowhere):
            said = scene.say(verb, *to)
            codes = [scene.world.code(said)]
            first = shape(list(scene.world.steps[-1].writes), scene)
            # Again, and another under its id: what is remembered is the same as well.
            codes.append(scene.world.code(said))
            other = scene.world.say(CLINIC, verb, *to, case=scene.case, event_id=said.id, exercise=True)
            codes.append(scene.world.code(other))
            seen.append((codes, first))

        assert seen[0] == seen[1]
        assert seen[0][0][0] in (Code.NOT_FOUND, Code.WRONG_SUBJECT)
        assert seen[0][0][1:] == [Code.DUPLICATE, Code.ID_REUSED]


@pytest.mark.parametrize("name", SCENES)
def test_a_strangers_flood_is_met_by_the_same_limit(name: str) -> None:
    codes = []
    there = SCENES[name]()
    for scene in (there, nowhere_like(there)):
        flood = [scene.say(Verb.CASE_NOTED, HOTLINE) for _ in range(40)]
        codes.append([judged.code for judged in scene.world.submit(*flood)])

    assert codes[0] == codes[1]


def test_a_full_case_looks_to_a_stranger_like_none(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = open_case()
    monkeypatch.setattr("referral_router.core.fold.MAX_CASE_CLAIMS", 1)

    assert scene.world.code(scene.say(Verb.CASE_NOTED, WARD, source=HOTLINE)) is Code.TOO_MANY
    assert scene.world.code(scene.say(Verb.CASE_NOTED, HOTLINE)) is Code.NOT_FOUND


@pytest.mark.parametrize("verb", [Verb.RECEIVED, Verb.ACCEPTED, Verb.WITHDRAWN, Verb.CLOSED, Verb.FORWARDED])
def test_a_party_learns_nothing_of_a_handoff_between_others(verb: Verb) -> None:
    scene = open_case()
    there = scene.world.verdict(scene.say(verb, HOTLINE, source=HOSPITAL))
    scene.handoff = HandoffKey(opening=new_id(), recipient=WARD)
    nowhere = scene.world.verdict(scene.say(verb, HOTLINE, source=HOSPITAL))

    assert (there.code, nowhere.code) == (Code.NOT_FOUND, Code.NOT_FOUND)
    assert (there.state, there.head, there.handoff) == (None, None, None)


def test_one_of_a_team_learns_nothing_of_anothers_handoff() -> None:
    scene = open_case()
    verdict = scene.world.verdict(scene.say(Verb.ACCEPTED, HOTLINE, source=POLICE))

    assert (verdict.code, verdict.state, verdict.head) == (Code.NOT_FOUND, None, None)


def test_nobodys_inbox_sees_what_a_stranger_said() -> None:
    scene = open_case()
    scene.world.submit(*(scene.say(verb, HOTLINE, WARD) for verb in Verb))
    writes = scene.world.steps[-1].writes

    assert {write.topic for write in writes if write.topic.startswith("inbox.")} == {topics.inbox(CLINIC)}


def test_a_stranger_becomes_a_party_by_an_event_that_reaches_it() -> None:
    scene = open_case()
    assert scene.world.code(scene.say(Verb.CASE_NOTED, HOTLINE)) is Code.NOT_FOUND
    scene.world.accepted(scene.world.say(WARD, Verb.NOTIFIED, CLINIC, case=scene.case))

    assert scene.world.code(scene.say(Verb.CASE_NOTED, HOTLINE)) is Code.ACCEPTED


def test_a_refused_event_makes_nobody_a_party() -> None:
    scene = open_case()
    refused = scene.world.say(HOTLINE, Verb.OFFERED, CLINIC, "nobody-z", case=scene.case, sections=[])
    assert scene.world.code(refused) is Code.UNKNOWN_RECIPIENT

    assert scene.world.code(scene.say(Verb.CASE_NOTED, HOTLINE)) is Code.NOT_FOUND
