"""A case that comes back from the archive, as agencies' own systems live through it."""

from pathlib import Path

from referral_bus.testing import DEFAULT_POLICY
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.topics import partition_for
from tests.contracts.payloads.forms import example
from tests.stories.agencies import Agencies, play
from tests.stories.put_away import put_away_and_taken_up
from tests.stories.world import LEGAL_AID, WARD, World

STUB = 128


def test_a_case_is_put_away_after_its_time_and_taken_up_again(tmp_path: Path) -> None:
    world = World()

    async def story() -> None:
        async with Agencies(world, tmp_path) as agencies:
            ward, legal_aid = await agencies.join(WARD), await agencies.join(LEGAL_AID)

            async def pass_time(_case: str) -> None:
                world.clock.wind(DEFAULT_POLICY.keep_closed_ms / 1000 + 1)
                world.simulator.change_directory()
                for bus in (ward, legal_aid):
                    await bus.ready()

            await put_away_and_taken_up(ward, legal_aid, (WARD, LEGAL_AID), example("legal-aid"), pass_time)

    play(world, story())
    found = world.audit()

    assert set(found.codes) == {Code.ACCEPTED, Code.ARCHIVED, Code.NOT_FOUND}
    assert (found.codes[Code.ARCHIVED], found.codes[Code.NOT_FOUND]) == (1, 2)
    (case,) = {key for place in range(world.simulator.partitions) for key in sizes(world, place)}
    place = partition_for(case, world.simulator.partitions)
    assert min(sizes(world, place)[case]) <= STUB < sizes(world, place)[case][-1]


def sizes(world: World, place: int) -> dict[str, list[int]]:
    """Return how large the records of each case were, one after the other."""
    found: dict[str, list[int]] = {}
    for record in world.simulator.broker.records(topics.STATE, place):
        key = (record.key or b"").decode()
        if len(key) == 32 and record.value is not None:
            found.setdefault(key, []).append(len(record.value))
    return found
