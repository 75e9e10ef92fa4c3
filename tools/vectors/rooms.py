"""Room in a case: what it holds already, one event more, and whether there is room for it (SPEC 17)."""

from collections.abc import Iterator
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.verbs import Verb
from referral_router.core.fold import MAX_CASE_CLAIMS, MAX_CLAIMS, MAX_GHOST_CLAIMS, MAX_GHOSTS
from referral_router.core.room import MAX_ADDRESSES, MAX_CHOSEN, MAX_HANDOFFS, MAX_OPENED
from tools.vectors.vector import Vector, fault, valid

_KIND: Final = "room"
_HALF: Final = MAX_ADDRESSES // 2


def _case(
    speaker: str,
    verb: Verb,
    recipient: str = "known",
    *,
    ids: tuple[int, int, int] = (3, 9, 0),
    handoffs: tuple[int, int] = (1, 4),
    addresses: tuple[int, int] = (1, 4),
) -> dict[str, object]:
    return {
        "speaker": speaker,
        "verb": verb.value,
        "recipient": recipient,
        "ids": dict(zip(("own", "all", "cases"), ids, strict=True)),
        "handoffs": dict(zip(("own", "all"), handoffs, strict=True)),
        "addresses": dict(zip(("own", "all"), addresses, strict=True)),
    }


def _pair(name: str, last: dict[str, object], full: dict[str, object], comment: str) -> Iterator[Vector]:
    """Yield the last that there is room for, and one more."""
    yield valid(_KIND, f"{name}_left", f"{comment}: the last", **last)
    yield fault(Code.TOO_MANY, _KIND, f"{name}_used_up", comment, **full)


def cases() -> Iterator[Vector]:
    yield from _ids()
    yield from _handoffs()
    yield from _addresses()


def _ids() -> Iterator[Vector]:
    noted, got, armed = Verb.CASE_NOTED, Verb.RECEIVED, Verb.DEADLINE_ARMED
    for name, comment, speaker, verb, last, full in (
        ("own_ids", "a party's own ids", "party", noted, (MAX_CLAIMS - 1, 900, 0), (MAX_CLAIMS, 900, 0)),
        ("all_ids", "the ids of all parties", "owner", noted, (3, MAX_CASE_CLAIMS - 1, 0), (3, MAX_CASE_CLAIMS, 0)),
        ("receipt", "half of a party's", "party", got, (MAX_CLAIMS // 2 - 1, 900, 0), (MAX_CLAIMS // 2, 900, 0)),
        (
            "notice",
            "the watcher's, beside all others'",
            "watcher",
            armed,
            (MAX_CLAIMS - 1, MAX_CASE_CLAIMS, 0),
            (MAX_CLAIMS, 9, 0),
        ),
        (
            "stranger",
            "ids of who is no party, in this case",
            "stranger",
            noted,
            (MAX_GHOST_CLAIMS - 1, MAX_CASE_CLAIMS, MAX_GHOSTS),
            (MAX_GHOST_CLAIMS, 9, 1),
        ),
        (
            "stranger_cases",
            "cases in which one is no party",
            "stranger",
            noted,
            (0, 9, MAX_GHOSTS - 1),
            (0, 9, MAX_GHOSTS),
        ),
    ):
        yield from _pair(f"room_{name}", _case(speaker, verb, ids=last), _case(speaker, verb, ids=full), comment)


def _handoffs() -> Iterator[Vector]:
    for name, comment, speaker, verb, last, full in (
        ("own", "hand-offs that one opened", "owner", Verb.OFFERED, (MAX_OPENED - 1, 300), (MAX_OPENED, 300)),
        ("all", "hand-offs of the case", "owner", Verb.OFFERED, (7, MAX_HANDOFFS - 1), (7, MAX_HANDOFFS)),
        ("next", "a forwarding opens one too", "party", Verb.FORWARDED, (MAX_OPENED - 1, 300), (MAX_OPENED, 300)),
    ):
        yield from _pair(
            f"room_handoffs_{name}", _case(speaker, verb, handoffs=last), _case(speaker, verb, handoffs=full), comment
        )
    full_case = _case("owner", Verb.CASE_NOTED, handoffs=(MAX_OPENED, MAX_HANDOFFS))
    yield valid(_KIND, "room_handoffs_note", "a note opens none", **full_case)


def _addresses() -> Iterator[Vector]:
    noted = Verb.CASE_NOTED
    for name, comment, speaker, last, full in (
        ("owner", "new addresses, for the owner", "owner", (0, MAX_ADDRESSES - 1), (0, MAX_ADDRESSES)),
        ("party", "half of them for others", "party", (1, _HALF - 1), (1, _HALF)),
        ("chosen", "addresses of one's own choice", "party", (MAX_CHOSEN - 1, 90), (MAX_CHOSEN, 90)),
    ):
        first, more = (_case(speaker, noted, "new", addresses=one) for one in (last, full))
        yield from _pair(f"room_addresses_{name}", first, more, comment)
    first, more = (_case("party", Verb.FORWARDED, "new", addresses=(1, held)) for held in (_HALF - 1, _HALF))
    yield from _pair("room_addresses_next", first, more, "the next, in a forwarding")
    old = _case("party", noted, "chosen", addresses=(MAX_CHOSEN, MAX_ADDRESSES))
    yield valid(_KIND, "room_addresses_again", "whom one wrote to can be written to", **old)
    known = _case("party", noted, "known", addresses=(MAX_CHOSEN, MAX_ADDRESSES))
    yield fault(Code.TOO_MANY, _KIND, "room_addresses_of_others", "whom others wrote to is no less a choice", **known)
    alone = _case("watcher", Verb.DEADLINE_ARMED, "new", addresses=(0, MAX_ADDRESSES))
    yield valid(_KIND, "room_addresses_notice", "the watcher's are beside all others", **alone)
