"""
One agency of the demonstration: a process with its own keys, its own store and nothing of anybody else's.

    python examples/demo_agency.py FOLDER

FOLDER holds ``keys.json``, ``trust.json`` and ``bus.toml``; the store is made beside them. What a person wants comes
in as lines of `talk`, what has come over the bus goes out the same way. The log, on standard error, names cases and
verbs and never what anybody wrote. It ends when its input ends.
"""

import asyncio
import contextlib
import logging
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from referral_bus import (
    AgencyKeys,
    Delivery,
    Draft,
    LocalError,
    Plan,
    ReferralBus,
    Sent,
    TimedOut,
    Tls,
    kafka,
    load_trust,
)
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.payloads.deadline import DeadlineNotice
from referral_contracts.payloads.payload import Payload
from referral_contracts.sections import read_draft
from referral_contracts.verbs import DEADLINES, Verb
from talk import Deadline, FormField, Heard, Line, Look, Order, Part, Ready, Recall, Said, Seen, read_wish

FILES: Final = Path(__file__).parent
_LINE_MAX: Final = 1 << 20
_WAIT_S: Final = 30.0

log = logging.getLogger("agency")


class Desk:
    """The agency's system, between its people and the bus."""

    def __init__(self, bus: ReferralBus) -> None:
        """Sit down at *bus*."""
        self._bus = bus
        self._sent: dict[int, Sent] = {}

    async def hear(self) -> None:
        """Show every delivery to the people here. Leaving the block acknowledges it: it does not come again."""
        await self._bus.ready(timeout_s=_WAIT_S)
        directory = self._bus.directory
        tell(Ready(version=0 if directory is None else directory.version))
        async for delivery in self._bus.inbox():
            async with delivery:
                log.info("heard %s of %s in case %s", delivery.verb.value, delivery.source, delivery.subject)
                tell(self._heard(delivery))

    async def obey(self, lines: asyncio.StreamReader) -> None:
        """Do what the people here want, one thing after the other, until they go home."""
        while line := await lines.readline():
            wish = read_wish(line)
            match wish:
                case Order():
                    tell(await self._say(wish))
                case Recall():
                    tell(await self._recall(wish))
                case Look():
                    tell(self._look(wish))

    async def _say(self, order: Order) -> Said:
        try:
            draft = draft_of(self._bus, order)
            planned = parts_of(self._bus.plan(draft))
            sent = await self._bus.send(draft, wait="ack" if order.hurry else True, timeout_s=_WAIT_S)
        except TimedOut as error:
            sent = error.sent
        except LocalError as error:
            log.warning("cannot say %s: %s", order.verb.value, error.code.value)
            return Said(number=order.number, code=error.code)
        self._sent[order.number] = sent
        log.info("said %s in case %s: %s", order.verb.value, sent.subject, sent.code and sent.code.value)
        return said(order.number, sent, planned)

    async def _recall(self, wish: Recall) -> Said:
        with contextlib.suppress(TimedOut):
            self._sent[wish.of] = await self._bus.wait(self._sent[wish.of], timeout_s=_WAIT_S)
        return said(wish.number, self._sent[wish.of])

    def _look(self, wish: Look) -> Seen:
        case, status = self._bus.case(wish.look), self._bus.status()
        return Seen(
            number=wish.number,
            owned=case is not None and case.owned,
            state=None if case is None else case.state,
            handoffs={} if case is None else {str(handoff.key): handoff.state for handoff in case.handoffs},
            waiting=status.waiting,
            unacknowledged=status.unacknowledged,
            alarms=tuple(alarm.code for alarm in self._bus.alarms()),
        )

    def _heard(self, delivery: Delivery) -> Heard:
        directory = self._bus.directory
        names = () if directory is None else sorted(directory.entries)
        parts = tuple(
            Part(
                name=section.name,
                form=section.read.schema,
                fields=tuple(
                    FormField(path=row.path, vi=row.vi, en=row.en, value=row.value) for row in section.read.rows()
                ),
            )
            for section in delivery.sections
            if section.read is not None
        )
        return Heard(
            id=delivery.id,
            verb=delivery.verb,
            source=delivery.source,
            subject=delivery.subject,
            recipients=delivery.envelope.data.recipients,
            handoff=delivery.handoff,
            counter=delivery.counter,
            parts=parts,
            sealed=delivery.sealed,
            deadline=deadline_of(delivery),
            named=tuple(name for name in names if f'"{name}"'.encode() in delivery.value),
        )


def deadline_of(delivery: Delivery) -> Deadline | None:
    """Return what *delivery* says of a clock, if the deadline watcher said it."""
    notice = delivery.payload(DeadlineNotice) if delivery.verb in DEADLINES else None
    if notice is None:
        return None
    return Deadline(
        vi=notice.rule.vi,
        en=notice.rule.en,
        responsible=notice.responsible,
        due_at=notice.due_at,
        standing=notice.standing,
        delivery=notice.delivery,
        level=notice.level,
        found=notice.found,
    )


def draft_of(bus: ReferralBus, order: Order) -> Draft:
    """Return what *order* asks to send."""
    parts = {recipient: payloads(names) for recipient, names in order.parts.items()}
    if order.handoff is not None:
        answers = {
            Verb.ACCEPTED: bus.accept,
            Verb.DECLINED: bus.decline,
            Verb.PROGRESSED: bus.progress,
            Verb.COMPLETED: bus.complete,
            Verb.WITHDRAWN: bus.withdraw,
            Verb.CLOSED: bus.close,
        }
        return answers[order.verb](order.handoff, *payloads(order.files))
    if order.subject is None:
        return bus.open_case(*payloads(order.files))
    if parts:
        return _given(bus, order.verb, order.subject, parts)
    of_case = {Verb.CASE_TRANSFER_ACCEPTED: bus.accept_transfer, Verb.CASE_CLOSED: bus.close_case}
    return of_case[order.verb](order.subject, *payloads(order.files))


def _given(bus: ReferralBus, verb: Verb, subject: str, parts: Mapping[str, Sequence[Payload]]) -> Draft:
    if verb is Verb.CASE_TRANSFER_OFFERED:
        ((recipient, (first, *more)),) = parts.items()
        return bus.transfer(subject, recipient, first, *more)
    if verb is Verb.CASE_NOTED:
        return bus.note(subject, parts)
    openings = {Verb.OFFERED: bus.offer, Verb.ASSIGNED: bus.assign, Verb.NOTIFIED: bus.notify}
    return openings[verb](subject, parts)


def payloads(names: Sequence[str]) -> list[Payload]:
    """Return what the files *names* ask to send."""
    return [read_draft((FILES / f"{name}.json").read_bytes()) for name in names]


def parts_of(plan: Plan) -> tuple[Part, ...]:
    """Return the sections of *plan*, without the one for the deadline watcher."""
    return tuple(
        Part(
            name=section.name,
            form=section.schema,
            readers=section.readers,
            fields=tuple(FormField(path=row.path, vi=row.vi, en=row.en, value=row.value) for row in section.rows),
        )
        for event in plan.events
        for section in event.sections
        if section.schema != ClockSection.schema_id()
    )


def said(number: int, sent: Sent, planned: tuple[Part, ...] = ()) -> Said:
    """Return what became of *sent*."""
    verdict = sent.verdict
    return Said(
        number=number,
        code=sent.code,
        id=sent.id,
        subject=sent.subject,
        handoffs=sent.handoffs,
        state=None if verdict is None else verdict.state,
        still_open=() if verdict is None else tuple(one.key for one in verdict.open or ()),
        events=len(sent.entries),
        planned=planned,
    )


def tell(line: Line) -> None:
    """Show something to the people here."""
    sys.stdout.buffer.write(line.encode())
    sys.stdout.buffer.flush()


async def main(folder: Path) -> None:
    """Serve until the input ends."""
    told = tomllib.loads((folder / "bus.toml").read_text("utf-8"))
    keys = AgencyKeys.load(folder / "keys.json")

    certificate = folder / "tls.pem"
    tls = Tls(certificate=certificate, authority=folder / "ca.crt") if certificate.exists() else None
    connect = kafka(told["bootstrap"], tls=tls, unsafe_plaintext=tls is None, client_id=keys.agency)

    store = folder / "store.db"
    lines = asyncio.StreamReader(limit=_LINE_MAX)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with ReferralBus(keys.agency, keys, load_trust(folder / "trust.json"), store=store, transport=connect) as bus:
        desk = Desk(bus)
        hearing = asyncio.create_task(desk.hear())
        obeying = asyncio.create_task(desk.obey(lines))
        # Whichever ends first: the people have gone home, or one of the two has failed.
        await asyncio.wait((hearing, obeying), return_when=asyncio.FIRST_COMPLETED)
        for task in (hearing, obeying):
            task.cancel()
        for outcome in await asyncio.gather(hearing, obeying, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO, stream=sys.stderr)
    asyncio.run(main(Path(sys.argv[1])))
