"""Who speaks for whom at a moment, and where what is meant for an address goes: agencies merge, split and close."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeAlias

from referral_contracts.directory_model import Delivery, Entry, Names
from referral_contracts.encoding import format_time
from tools.vectors.cast import START
from tools.vectors.vector import Vector, octets, valid

_END: Final = START + 3_600_000
_DISTRICT: Final = "district-d"
_WARD: Final = "ward-a"
_OTHER: Final = "ward-b"
_Kind: TypeAlias = Literal["bus", "via", "off-bus"]
_AWAY: Final[tuple[_Kind, ...]] = ("off-bus", "via")


def _entry(
    name: str, *following: str, end_ms: int | None = None, desks: tuple[str, ...] = (), delivery: _Kind = "bus"
) -> Entry:
    return Entry(
        delivery=Delivery(kind=delivery, agency=_OTHER if delivery == "via" else None),
        desks=desks,
        ends_at=None if end_ms is None else format_time(end_ms),
        id=name,
        keys=(),
        names=Names(en=name, vi=name),
        roles=("commune",),
        successors=following,
    )


def _ended(*following: str, desks: tuple[str, ...] = ()) -> Entry:
    return _entry(_DISTRICT, *following, end_ms=_END, desks=desks)


def _asked(
    name: str,
    comment: str,
    entries: Sequence[Entry],
    *,
    speaker: str | None,
    reached: str | None,
    takers: Sequence[str],
    address: str = _DISTRICT,
    at_ms: int = _END,
) -> Vector:
    return valid(
        "succession",
        f"succession{name}",
        comment,
        entries={entry.id: octets(entry.encode()) for entry in entries},
        address=address,
        at=format_time(at_ms),
        speaker=speaker,
        reached=reached,
        takers=list(takers),
    )


def cases() -> Iterator[Vector]:
    wards = _entry(_WARD), _entry(_OTHER)
    both, one = (_WARD, _OTHER), (_WARD,)
    split = (_ended(*both), *wards)
    yield _asked("", "from its end on the first speaks", split, speaker=_WARD, reached=_WARD, takers=both)
    yield _asked(
        "_before_the_end",
        "a millisecond before, it speaks itself; what it has may be moved already",
        split,
        at_ms=_END - 1,
        speaker=_DISTRICT,
        reached=_DISTRICT,
        takers=both,
    )
    yield _asked(
        "_of_one_that_goes_on", "nobody follows it", split, address=_OTHER, speaker=_OTHER, reached=_OTHER, takers=()
    )
    chain = _ended(_WARD), _entry(_WARD, _OTHER, end_ms=_END), _entry(_OTHER)
    yield _asked("_of_a_successor", "who has ended too", chain, speaker=_OTHER, reached=_OTHER, takers=both)
    later = _ended(_WARD), _entry(_WARD, _OTHER, end_ms=_END + 1), _entry(_OTHER)
    yield _asked("_of_a_successor_not_yet", "who ends later", later, speaker=_WARD, reached=_WARD, takers=both)
    yield _asked("_of_nobody", "none is named", (_ended(),), speaker=None, reached=None, takers=())
    circle = _ended(_WARD), _entry(_WARD, _DISTRICT, end_ms=_END)
    yield _asked("_in_a_circle", "they name each other: nobody speaks", circle, speaker=None, reached=None, takers=one)
    for delivery in _AWAY:
        away = _ended(_WARD), _entry(_WARD, delivery=delivery), _entry(_OTHER)
        name = f"_by_one_{delivery.replace('-', '_')}"
        comment = f"who speaks is {delivery}: nothing goes there"
        yield _asked(name, comment, away, speaker=_WARD, reached=None, takers=one)
    yield from _desks()


def _desks() -> Iterator[Vector]:
    address, night = f"{_DISTRICT}/night", ("night",)
    same = _ended(_WARD, desks=night), _entry(_WARD, desks=night)
    yield _asked(
        "_of_a_desk",
        "the successor has a desk of that name",
        same,
        address=address,
        speaker=_WARD,
        reached=f"{_WARD}/night",
        takers=(_WARD,),
    )
    other = _ended(_WARD, desks=night), _entry(_WARD, desks=("day",))
    yield _asked(
        "_of_a_desk_without_one",
        "the successor has none of that name: its agency answers",
        other,
        address=address,
        speaker=_WARD,
        reached=_WARD,
        takers=(_WARD,),
    )
    gone = (_entry(_DISTRICT),)
    yield _asked(
        "_of_a_desk_that_is_no_more",
        "its own agency answers",
        gone,
        address=address,
        speaker=_DISTRICT,
        reached=_DISTRICT,
        takers=(),
    )
