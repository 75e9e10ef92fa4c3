"""
The secured router against a bare forwarder, against the floor, and against itself in two processes.

In each round everybody drains the same backlog, one after the other, in another order each time. A ratio is taken
within a round.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from measure.bench import Bench, now_ms
from measure.contestants import Contestant, Routers, floor, forwarder
from measure.drain import Drained, drain
from measure.figures import Part
from measure.submissions import Load

FANOUTS: Final = (1, 3, 8)
_MAIN: Final = 3
_WARM_ROUNDS: Final = 2
"""A broker's JIT takes some 50,000 records to come to rest; what is measured before is the compiler."""

_NOTES: Final = (
    "forwarder: consumes, one send a record, acks=all, aiokafka's own batches (16 KB).",
    "It writes the router's records, byte for byte as long: copies, ledger, verdict, state.",
    "large batches: 768 KB, as the router builds them. copies only: to the recipients, and nothing else.",
    "floor: one Ed25519 verification an event, the same records in batches built by hand, a transaction for each.",
)

Makes: TypeAlias = Callable[[], Contestant]
Results: TypeAlias = dict[str, list[Drained]]


async def routing(bench: Bench) -> list[Part]:
    """Measure the router, the forwarders and the floor at each width, over few topics and over many."""
    parts: list[Part] = []
    for crowd in (False, True):
        for fanout in FANOUTS if not bench.quick else (_MAIN,):
            load = _load(bench, fanout, crowd=crowd)
            main = fanout == _MAIN and not crowd
            results = await _contest(bench, load, _field(bench, load, main=main), warm=not parts)
            parts.append(_told(load, results, main=main))
    return parts


async def processes(bench: Bench) -> list[Part]:
    """Measure one router process and two."""
    load = _load(bench, _MAIN, crowd=False)
    world, bootstrap = bench.world, bench.cluster.bootstrap
    field: Sequence[Makes] = (lambda: Routers(world, bootstrap), lambda: Routers(world, bootstrap, 2))
    results = await _contest(bench, load, field, warm=True)
    part = Part(name="processes", title=f"One router process and two ({load.name}, {load.event_bytes:,} bytes)")
    for name, drained in results.items():
        _rates(part, name, drained)
    one, two = results["router"], results["2 routers"]
    ratios = [b.events_s / a.events_s for a, b in zip(one, two, strict=True)]
    part.add("two processes : one", "x", ratios)
    part.notes.append("Both share the machine's cores with the broker: more processes than free cores gain nothing.")
    return [part]


def _load(bench: Bench, fanout: int, *, crowd: bool) -> Load:
    count = bench.count(8000 if fanout <= _MAIN else 4000, 2000)
    bench.say(f"making {count} offers to {fanout} recipients")
    return bench.mill.load(count, fanout, now_ms(), crowd=crowd)


def _field(bench: Bench, load: Load, *, main: bool) -> list[Makes]:
    cluster, world, path = bench.cluster, bench.world, bench.outputs(load)
    field: list[Makes] = [
        lambda: Routers(world, cluster.bootstrap),
        lambda: forwarder(cluster, path),
        lambda: forwarder(cluster, path, large=True),
        lambda: floor(world, cluster, path),
    ]
    if main:
        field += [
            lambda: forwarder(cluster, path, large=True, copies_only=True),
            lambda: floor(world, cluster, path, kept=False),
        ]
    return field


async def _contest(bench: Bench, load: Load, field: Sequence[Makes], *, warm: bool) -> Results:
    results: Results = {make().name: [] for make in field}
    rounds = bench.rounds + (_WARM_ROUNDS if warm and not bench.quick else warm)
    for number in range(rounds):
        # Whoever follows whom changes from round to round.
        for make in (*field[number % len(field) :], *field[: number % len(field)]):
            contestant = make()
            bench.say(f"{load.name}: round {number + 1} of {rounds}: {contestant.name}")
            await bench.lay_out(load)
            drained = await drain(bench.cluster, contestant, len(load.offers))
            if number >= rounds - bench.rounds:
                results[contestant.name].append(drained)
    return results


def _told(load: Load, results: Results, *, main: bool) -> Part:
    title = f"Routing to {load.name} ({load.event_bytes:,} bytes an event, 1 broker, 4 partitions)"
    part = Part(name=f"routing, {load.name}", title=title)
    for name, drained in results.items():
        _rates(part, name, drained)
    router, bare, base = results["router"], results["forwarder"], results["floor"]
    target = ">= 1.5" if main else ""
    ratios = [a.events_s / b.events_s for a, b in zip(router, bare, strict=True)]
    part.add("events/s, router : forwarder", "x", ratios, target)
    large = [a.events_s / b.events_s for a, b in zip(router, results["forwarder, large batches"], strict=True)]
    part.add("events/s, router : forwarder, large batches", "x", large)
    over = [a.cpu_us / b.cpu_us for a, b in zip(router, base, strict=True)]
    part.add("CPU, router : floor", "x", over, "<= 1.6" if main else "")
    if main:
        part.notes += _NOTES
    return part


def _rates(part: Part, name: str, drained: Sequence[Drained]) -> None:
    part.add("drained", "events/s", [one.events_s for one in drained], of=name)
    part.add("its CPU", "µs an event", [one.cpu_us for one in drained], of=name)
    part.add("the broker's CPU", "µs an event", [one.broker_us for one in drained], of=name)
