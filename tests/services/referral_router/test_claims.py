"""The ids that a sender has used: packed, found, forgotten."""

import pytest

from referral_contracts.encoding import b64, sha256
from referral_router.core.claims import SIZE, Claim, Claims
from referral_router.core.refs import unspelled
from tests.services.referral_router.world import new_id


def claim(number: int, code: str = "accepted", *, event: bytes | None = None) -> Claim:
    event = sha256(b"%d" % number) if event is None else event
    return Claim(b64(event), code, number, sha256(b"decision %d" % number), 1_000 + number)


def held(*found: tuple[str, Claim]) -> Claims:
    claims = Claims()
    for event_id, one in found:
        claims.add(event_id, one)
    return claims


def test_each_id_is_found_with_what_was_decided_of_it() -> None:
    found = {new_id(): claim(number, code) for number, code in enumerate(["accepted", "not-found", "accepted"])}
    claims = held(*found.items())
    again = Claims(claims.packed, claims.codes)

    assert {event_id: again.find(event_id) for event_id in found} == found
    assert (list(again), len(again)) == (list(found), 3)
    assert again.find(new_id()) is None


def test_an_id_inside_the_hash_of_another_event_is_not_used_up() -> None:
    one, other = new_id(), new_id()
    claims = held((one, claim(1, event=unspelled(other) * 2)))

    assert claims.find(other) is None

    claims.add(other, claim(2))

    assert claims.find(other) == claim(2)


def test_what_lies_below_the_floor_is_forgotten_and_the_rest_is_as_before() -> None:
    ids = [new_id() for _ in range(4)]
    # Not in the order of their times: a sender may sign ahead of its time.
    claims = held(*((event_id, claim(number)) for event_id, number in zip(ids, [3, 1, 2, 0], strict=True)))

    assert [claims.count(floor_ms) for floor_ms in (1_000, 1_002, 1_004)] == [4, 2, 0]

    claims.prune(1_002)

    assert list(claims) == [ids[0], ids[2]]
    assert claims.find(ids[2]) == claim(2)

    claims.prune(1_004)

    assert not claims


@pytest.mark.parametrize("packed", [bytes(1), bytes(SIZE - 1), bytes(SIZE + 1), bytes(SIZE - 1) + b"\1"])
def test_what_is_not_claims_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="claims"):
        Claims(packed, ["accepted"])
