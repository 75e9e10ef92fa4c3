"""`inbox` and `open`: what other agencies said to this one."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from typing import Annotated, Final

import typer
from rich.console import RenderableType

from referral_bus._cli.claims import claim_fields, claim_lines
from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.deadlines import DEADLINE_JSON, deadline_fields, deadline_lines, deadline_mark
from referral_bus._cli.faults import advise, complain, mention
from referral_bus._cli.finding import DeliveryArgument, find_delivery, name_of
from referral_bus._cli.screen import Fields, caution, form, heading, indented, row_fields, status, when, word
from referral_bus._cli.session import READ_S, Timeout, be_present, open_bus
from referral_bus._cli.wording import CORRECTS
from referral_bus._cli.world import Exit
from referral_bus.client import ReferralBus
from referral_bus.delivery import Delivery, OpenedSection
from referral_bus.views import Corrects
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.encoding import format_time
from referral_contracts.errors import LocalError
from referral_contracts.lifecycle import State
from referral_contracts.payloads.relay import Claim, claim_of
from referral_contracts.wording import EXERCISE, VERBS, both

_LINE: Final = (
    "id, source, subject, verb, recipient, handoff{opening, recipient}, counter, admitted, redelivered, acknowledged, "
    "exercise, supersedes, corrects, corrected_by[], sections[]{name, schema, code}, sealed[]"
)
_ROWS: Final = "fields[]{path, vi, en, value, provisional}"
_LOOK_S: Final = 10.0
_NO_KEY: Final = both(
    (
        "không khóa nào trong tệp khóa mở được: xem lại có đúng tệp khóa không (--home, --keys), rồi hãy báo bên gửi",
        "no key in the key file opens it: see whether it is the right one (--home, --keys), then tell the sender",
    )
)
"""How often a watch looks whether something is wrong while nothing comes."""
_LEFT_WITHOUT: Final = frozenset({State.DECLINED, State.EXPIRED, State.FAILED, State.RETURNED, State.MISDIRECTED})
"""Where who asked for something has to look for somebody else."""
_NOT_HERE: Final = frozenset({Corrects.NOT_HELD, Corrects.ELSEWHERE})


def add_to(app: typer.Typer) -> None:
    """Add the group and the verb to *app*."""
    group = new_group(app, "inbox", "What other agencies said to this one.")
    add(group, "watch", watch, json=_LINE)
    add(group, "list", list_, json=_LINE)
    add(group, "ack", ack, json=_LINE)
    add(
        app,
        "open",
        open_,
        json=f"{_LINE}, {DEADLINE_JSON}, with status, body and {_ROWS} in each section",
    )


async def watch(
    call: Call,
    *,
    ack: Annotated[bool, typer.Option("--ack", help="Acknowledge each once it is written.")] = False,
    count: Annotated[int | None, typer.Option(metavar="N", min=1, help="End after so many.")] = None,
) -> Exit:
    """
    Write a line for each delivery as it comes, first for those that were never acknowledged; end on Ctrl-C or SIGTERM.

    What is not acknowledged comes again in the next watch.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_bus(call) as bus:
        stopped = asyncio.create_task(stop.wait())
        if sys.stderr.isatty():
            mention("listening until Ctrl-C")
        try:
            await _watch(call, bus, stopped, ack=ack, count=count)
        finally:
            stopped.cancel()
    return Exit.DONE


async def _watch(call: Call, bus: ReferralBus, stopped: "asyncio.Task[bool]", *, ack: bool, count: int | None) -> None:
    concerns = _Concerns(bus)
    written = 0
    while count is None or written < count:
        concerns.tell()
        coming = asyncio.create_task(bus.next(timeout_s=_LOOK_S))
        await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            coming.cancel()
            await asyncio.wait({coming})
            return
        try:
            delivery = coming.result()
        except LocalError as error:
            if error.code is not Code.TIMED_OUT:
                raise
            continue
        _write(call, delivery)
        if ack:
            await delivery.ack()
        written += 1


class _Concerns:
    """What a watch has told of what is wrong."""

    def __init__(self, bus: ReferralBus) -> None:
        self._bus = bus
        self._trouble: Code | None = None
        self._alarms = 0

    def tell(self) -> None:
        """Tell what has changed."""
        status = self._bus.status()
        trouble = status.receiving or (status.directory if self._trouble else None)
        if trouble is not self._trouble:
            mention("all is well again" if trouble is None else f"nothing can be heard: {trouble.value}")
            self._trouble = trouble
        if status.alarms > self._alarms:
            mention(f"alarms are raised: {status.alarms}")
        self._alarms = status.alarms


async def list_(
    call: Call,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that were acknowledged too.")] = False,
    timeout: Timeout = READ_S,
) -> Exit:
    """Write a line for each delivery that is not acknowledged, oldest first."""
    async with open_bus(call) as bus:
        ended = await be_present(call, bus, timeout)
        for delivery in bus.deliveries(acknowledged=None if everything else False):
            _write(call, delivery)
    return ended


async def ack(
    call: Call,
    *,
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="Events' ids, or their beginnings.")],
    timeout: Timeout = READ_S,
) -> Exit:
    """Say that deliveries are dealt with: they do not come again."""
    async with open_bus(call) as bus:
        await be_present(call, bus, timeout)
        # All are looked up before the first is acknowledged: a mistake in one leaves every one as it was.
        for delivery in [find_delivery(bus, text) for text in ids]:
            await delivery.ack()
            _write(call, delivery)
    return Exit.DONE


async def open_(call: Call, *, delivery: DeliveryArgument, timeout: Timeout = READ_S) -> Exit:
    """Open this agency's sections of a delivery, each field with its label. What is for others stays sealed."""
    async with open_bus(call) as bus:
        await be_present(call, bus, timeout)
        found = find_delivery(bus, delivery)
        call.screen.put(
            {
                **_fields(found),
                **deadline_fields(found, call.settings.agency),
                "sections": [_section_fields(bus.directory, found, section) for section in found.sections],
            },
            *_lines(bus.directory, found),
            *_correction_lines(bus.directory, found),
            *deadline_lines(bus, found, call.settings.agency),
        )
        _advise_next(bus, found, call.settings.agency)
        return _judge(found)


def _advise_next(bus: ReferralBus, delivery: Delivery, agency: str) -> None:
    """Tell who asked, and was left without, how to ask another."""
    key = delivery.handoff
    view = None if key is None else bus.handoff(key, subject=delivery.subject)
    if view is None or (view.sender, view.head.id) != (agency, delivery.id) or view.state not in _LEFT_WITHOUT:
        return
    case = bus.case(delivery.subject)
    if case is not None and all(item.followed != view.key for item in case.handoffs):
        told = f"--case {delivery.subject} --follows {name_of(view.key)}"
        advise(f"to ask another agency: referral-bus send offer {told} --to AGENCY=FILE")


def _lines(directory: Directory | None, delivery: Delivery) -> Iterator[RenderableType]:
    yield heading(_line(delivery))
    for section in delivery.sections:
        yield from _section_lines(directory, delivery, section)
    yield from (f"  {name}  {_sealed(delivery, name)}" for name in delivery.sealed)


def _correction_lines(directory: Directory | None, delivery: Delivery) -> Iterator[RenderableType]:
    """Yield what it corrects, or what corrects it: both are shown, and which is which."""
    for correction in delivery.corrections:
        yield heading("đã được đính chính / corrected since")
        yield from _lines(directory, correction)
    if delivery.corrects is not None:
        named = delivery.envelope.data.supersedes
        yield heading(f"{both(CORRECTS[delivery.corrects])}: {'' if named is None else named.id}")
    if delivery.original is not None:
        yield from _lines(directory, delivery.original)


def _judge(delivery: Delivery) -> Exit:
    closed = [section for section in delivery.sections if section.read is None]
    for section in closed:
        complain(f"section {section.name} does not open: {(section.code or Code.MALFORMED_SECTION).value}")
    if closed and all(section.code is Code.NOT_A_READER for section in closed):
        advise(_NO_KEY)
    elif closed:
        advise("tell the sender and the operators of the bus; what was sent is kept as it came")
    return Exit.ALARM if closed else Exit.DONE


def _write(call: Call, delivery: Delivery) -> None:
    again = "  đã đưa trước đó / again" if delivery.redelivered and not delivery.acknowledged else ""
    call.screen.put(_fields(delivery), _line(delivery) + again)


def _line(delivery: Delivery) -> str:
    key = delivery.handoff
    # An opening event's id is its hand-off's.
    handoff = f"hand-off {name_of(key)}" if key is not None and key.opening != delivery.id else ""
    parts = (
        when(delivery.admitted_ms),
        both(VERBS[delivery.verb]),
        f"{delivery.source} → {delivery.recipient}",
        f"case {delivery.subject}",
        f"id {delivery.id}",
        handoff,
        both(CORRECTS[delivery.corrects]) if delivery.corrects in _NOT_HERE else "",
        "ĐÃ ĐÍNH CHÍNH / CORRECTED" if delivery.corrections else "",
        deadline_mark(delivery),
        EXERCISE if delivery.exercise else "",
    )
    return "  ".join(part for part in parts if part)


def _fields(delivery: Delivery) -> dict[str, object]:
    key, supersedes = delivery.handoff, delivery.envelope.data.supersedes
    return {
        "id": delivery.id,
        "source": delivery.source,
        "subject": delivery.subject,
        "verb": delivery.verb.value,
        "recipient": delivery.recipient,
        "handoff": None if key is None else {"opening": key.opening, "recipient": key.recipient},
        "counter": delivery.counter,
        "admitted": format_time(delivery.admitted_ms),
        "redelivered": delivery.redelivered,
        "acknowledged": delivery.acknowledged,
        "exercise": delivery.exercise,
        "supersedes": None if supersedes is None else supersedes.id,
        "corrects": None if delivery.corrects is None else delivery.corrects.value,
        "corrected_by": [correction.id for correction in delivery.corrections],
        "sections": [
            {
                "name": section.name,
                "schema": None if section.read is None else section.read.schema,
                "code": None if section.code is None else section.code.value,
            }
            for section in delivery.sections
        ],
        "sealed": list(delivery.sealed),
    }


def _section_fields(directory: Directory | None, delivery: Delivery, section: OpenedSection) -> Fields:
    read, claim = section.read, _claim(delivery, section)
    return {
        "name": section.name,
        "schema": None if read is None else read.schema,
        "status": None if read is None else status(read.schema),
        "code": None if section.code is None else section.code.value,
        "claim": None if claim is None else claim_fields(directory, claim),
        "body": None if read is None else read.body,
        "fields": [] if read is None else row_fields(read.rows()),
    }


def _claim(delivery: Delivery, section: OpenedSection) -> Claim | None:
    payload = None if section.read is None else section.read.payload
    return None if payload is None else claim_of(payload, delivery.source)


def _section_lines(directory: Directory | None, delivery: Delivery, section: OpenedSection) -> Iterator[RenderableType]:
    read, claim = section.read, _claim(delivery, section)
    form_name = "không mở được / does not open" if read is None else word(read.schema)
    code = "" if section.code is None else section.code.value
    practised = EXERCISE if delivery.exercise else ""
    yield heading("  " + "  ".join(part for part in (section.name, form_name, code, practised) if part))
    if read is not None:
        yield from map(indented, caution(read.schema))
        if claim is not None:
            yield from map(indented, claim_lines(directory, claim))
        yield indented(indented(form(read.rows())))


def _sealed(delivery: Delivery, name: str) -> str:
    readers = delivery.envelope.data.sections[int(name[1:])].readers
    return f"niêm phong / sealed for {', '.join(sorted(reader.address for reader in readers))}"
