"""What the directory says of an agency's own keys, as its client tells it: a key that it never held, or one ended."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_bus import Code
from referral_bus._own_keys import strange_keys
from referral_bus.keys import AgencyKeys
from referral_bus.registrar import Term, event_key_record, sealing_key_record
from referral_contracts.directory_model import Entry, KeyRecord
from referral_contracts.encoding import format_time
from referral_contracts.keys import SealingKey, SigningKey
from tests.sdk.town import Town

NOW = 1_790_000_000_000
HOUR = 3_600_000
MINE = AgencyKeys.generate("ward-a", http=True)
OTHERS = [SigningKey.generate() for _ in range(3)]


def listed(town: Town) -> Entry:
    member = town.sim.directory.member("ward-a")
    assert member is not None
    return member.entry


def publish(town: Town, keys: Sequence[KeyRecord], **over: Any) -> None:
    """Let the registrars say that these are the agency's keys."""
    town.sim.change_directory(agencies=[listed(town).model_copy(update={"keys": tuple(keys), **over})])


def event_key(town: Town, key: SigningKey) -> KeyRecord:
    now_ms = town.sim.clock.now_ms()
    return event_key_record(town.sim.bus, "ward-a", key, Term(from_ms=now_ms, until_ms=now_ms + HOUR))


def told(alarms: Sequence[Any]) -> list[str]:
    return [alarm.detail for alarm in alarms if alarm.code is Code.OWN_KEY_CHANGED]


@pytest.mark.asyncio
class TestClient:
    async def test_a_key_that_registrars_list_for_an_agency_is_told_to_it_once(self, town: Town) -> None:
        rogue = SigningKey.generate()
        async with town.bus("ward-a") as bus:
            await bus.ready()
            assert told(bus.alarms()) == []
            publish(town, [*listed(town).keys, event_key(town, rogue)])
            await town.settle()

            assert told(bus.alarms()) == [f"listed under this agency, and not in its key file: event {rogue.kid}"]
            publish(town, listed(town).keys, roles=("commune", "hotline"))
            await town.settle()
            assert [alarm.count for alarm in bus.alarms()] == [1]
        async with town.bus("ward-a") as bus:
            await bus.ready()
            assert [alarm.count for alarm in bus.alarms()] == [1]

    async def test_a_sealing_key_by_which_another_would_read_is_told_too(self, town: Town) -> None:
        now_ms = town.sim.clock.now_ms()
        rogue, sealing = SigningKey.generate(), SealingKey.generate()
        term = Term(from_ms=now_ms, until_ms=now_ms + HOUR)
        seal = sealing_key_record(town.sim.bus, "ward-a", sealing, term, signer=rogue)
        async with town.bus("ward-a") as bus:
            await bus.ready()
            publish(town, [*listed(town).keys, event_key(town, rogue), seal])
            await town.settle()

            assert sealing.kid in told(bus.alarms())[0]

    async def test_a_key_of_its_own_that_is_ended_is_told(self, town: Town) -> None:
        async with town.bus("ward-a") as bus:
            await bus.ready()
            first, *rest = listed(town).keys
            at = format_time(town.sim.clock.now_ms())
            publish(town, [first.model_copy(update={"revoked_at": at}), *rest])
            await town.settle()

            assert told(bus.alarms()) == [f"revoked or called compromised, and in its key file: event {first.kid}"]

    async def test_what_happens_to_another_agency_is_no_alarm(self, town: Town) -> None:
        async with town.bus("hotline-111") as bus:
            await bus.ready()
            publish(town, [*listed(town).keys, event_key(town, SigningKey.generate())])
            await town.settle()

            assert bus.alarms() == ()


def record(kid: str, until_ms: int, *, revoked: bool) -> KeyRecord:
    told = event_key_record("training", "ward-a", OTHERS[0], Term(from_ms=0, until_ms=until_ms))
    return told.model_copy(update={"kid": kid, "revoked_at": format_time(NOW) if revoked else None})


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*MINE.kids, *(key.kid for key in OTHERS)]),
            st.integers(NOW - HOUR, NOW + HOUR),
            st.booleans(),
        )
    )
)
def test_strange_is_what_is_in_force_and_not_held(keys: list[tuple[str, int, bool]]) -> None:
    found = strange_keys(MINE, [record(kid, until, revoked=revoked) for kid, until, revoked in keys], NOW)

    assert [key.kid for key in found] == [
        kid for kid, until, revoked in keys if kid not in MINE.kids and until > NOW and not revoked
    ]


def test_an_agency_has_an_id_for_each_of_its_keys(tmp_path: Path) -> None:
    keys = MINE.renewed()
    keys.save(tmp_path / "keys.json")
    held = {MINE.signing.kid, *(key.kid for key in keys.sealing["ward-a"])} | {MINE.http.kid if MINE.http else ""}

    assert AgencyKeys.load(tmp_path / "keys.json").kids == held
    assert len(held) == 4
