"""An event that another language wrote goes through the router, and its recipient's own system opens it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from referral_bus import Code
from referral_contracts.encoding import b64, event_hash, unb64
from referral_contracts.envelope import Envelope, EventRef, HandoffKey
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.request import HandoffRequest
from referral_contracts.sections import encode_section
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import example
from tests.interop.readers import Program
from tests.stories.agencies import Agencies, hears, play, settled
from tests.stories.world import BUS, HOSPITAL, HOTLINE, WATCHER, Said, World, keys

pytestmark = pytest.mark.interop

CLOCK: Final = '{"body":{"actor":{"role":"system"},"triggers":"none"},"schema":"clock/1.0"}'

CANCELLATION: Final = (
    '{"body":{"actor":{"role":"duty_officer"},"reason":"no_longer_needed"},"schema":"cancellation/1.0"}'
)


class Writer:
    """Somebody on the bus whose system is written in another language."""

    def __init__(self, program: Program, world: World, name: str) -> None:
        self._program = program
        self._world = world
        self._name = name

    def _part(self, plaintext: str, readers: Iterable[str]) -> dict[str, Any]:
        directory, now_ms = self._world.simulator.directory, self._world.clock.now_ms()
        return {
            "plaintext": plaintext,
            "readers": {name: b64(directory.reader(name, now_ms).public) for name in {self._name, *readers}},
        }

    def says(
        self,
        verb: Verb,
        said: Mapping[str, Iterable[str]],
        *,
        case: str | None = None,
        about: HandoffKey | None = None,
        answers: EventRef | None = None,
    ) -> Said:
        """Return an event that says the texts of *said*, each to its readers; nobody has heard it yet."""
        recipients = sorted({name for names in said.values() for name in names} - {WATCHER})
        data: dict[str, Any] = {"recipients": recipients}
        if about is not None:
            data["handoff"] = about.model_dump()
        if answers is not None:
            data["answers"] = answers.model_dump()
        event = {"bus": BUS, "data": data, "exercise": True, "source": self._name}
        told = {
            "kind": "write",
            "event": event if case is None else {**event, "subject": case},
            "verb": verb.value,
            "parts": [self._part(text, names) for text, names in said.items()],
            "seed": b64(keys()[self._name].signing.to_seed()),
            "now": self._world.clock.now_ms(),
        }
        (came,) = self._program.came([told])
        value = unb64(came["came"]["value"])
        return Said(envelope=Envelope.decode(value), value=value, signature=came["came"]["signature"].encode())


def form(name: str) -> str:
    return encode_section(example(name)).decode()


def test_an_event_of_another_language_is_accepted_and_opened(program: Program, tmp_path: Path) -> None:
    world = World()
    hotline = Writer(program, world, HOTLINE)

    async def story() -> None:
        async with Agencies(world, tmp_path) as agencies:
            hospital = await agencies.join(HOSPITAL)
            await hospital.ready()
            opened = hotline.says(Verb.CASE_OPENED, {form("mau01"): (), CLOCK: (WATCHER,)})
            world.submit(opened)
            offer = hotline.says(Verb.OFFERED, {form("hospital"): (HOSPITAL,), CLOCK: (WATCHER,)}, case=opened.case)
            world.submit(offer)
            async with await hears(hospital, Verb.OFFERED) as heard:
                assert isinstance(heard.payload(HandoffRequest), HandoffRequest)
                assert example("hospital") in heard.payloads
                await heard.accept(example("hospital-accepted"))
            await settled(hospital)
            accepted = world.inbox(HOTLINE)[-1]
            cancelled = hotline.says(
                Verb.CANCELLED,
                {CANCELLATION: (HOSPITAL,)},
                case=opened.case,
                about=offer.to(HOSPITAL),
                answers=EventRef(id=accepted.envelope.id, sha256=event_hash(accepted.value)),
            )
            world.submit(cancelled)
            await (await hears(hospital, Verb.CANCELLED)).ack()

        assert [world.told(said) for said in (opened, offer, cancelled)] == [Code.ACCEPTED] * 3

    play(world, story())
    world.audit()


def test_what_another_language_wrote_is_spelled_as_ours(program: Program) -> None:
    world = World()
    said = Writer(program, world, HOTLINE).says(Verb.CASE_OPENED, {form("mau01"): (), CLOCK: (WATCHER,)})

    assert said.envelope.encode() == said.value
    assert said.envelope.time_ms == world.clock.now_ms()
    assert Mau01.schema_id().encode() not in said.value
