"""Two agencies with different versions of one form: what the newer one adds is kept and shown; nothing is dropped."""

from typing import Annotated, ClassVar

import pytest

from referral_bus import Code
from referral_bus.delivery import Delivery
from referral_contracts.encoding import jcs
from referral_contracts.payloads import registry
from referral_contracts.payloads.base import Line, label
from referral_contracts.payloads.handoff import Unreadable
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.request import HandoffRequest, Service
from referral_contracts.sections import read_draft, read_section
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import ACTOR
from tests.sdk.forging import Event
from tests.sdk.town import OPENING, REQUEST, Town

SECTION = {"actor": {"role": "duty_officer"}, "service": "medical_care", "urgency": "emergency"}


class LaterRequest(HandoffRequest):
    """The next minor version, with one more field."""

    minor: ClassVar[int] = 1

    interpreter: Annotated[
        Line | None, label("Người phiên dịch", "interpreter", "Cần phiên dịch tiếng nào.", "Which language.")
    ] = None


class NextRequest(LaterRequest):
    """The next major version."""

    major: ClassVar[int] = 2
    minor: ClassVar[int] = 0


def knows(monkeypatch: pytest.MonkeyPatch, model: type[Payload]) -> None:
    """From here on this program knows *model* in the place of the version that it has."""
    monkeypatch.setitem(registry.MODELS, (model.schema_name, model.major), model)
    monkeypatch.setitem(registry.USES, Verb.ASSIGNED, (model, *registry.USES[Verb.ASSIGNED]))


async def sent(town: Town, monkeypatch: pytest.MonkeyPatch, payload: Payload) -> None:
    """Send *payload* from an agency whose program is of its version."""
    async with town.bus("hotline-111") as hotline:
        opened = hotline.open_case(OPENING)
        assert (await hotline.send(opened)).accepted
        with monkeypatch.context() as newer:
            knows(newer, type(payload))
            assert (await hotline.send(hotline.assign(opened.subject, {"hospital-c": [payload]}))).accepted


def shown(delivery: Delivery) -> dict[str, str]:
    (section, *_) = delivery.sections
    assert section.read is not None
    return {row.path: row.value for row in section.read.rows()}


@pytest.mark.asyncio
async def test_what_a_newer_minor_version_adds_is_kept_and_shown(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    later = LaterRequest(actor=ACTOR, service=Service.MEDICAL_CARE, reason="Cần khám ngay", interpreter="Tiếng Mông")
    await sent(town, monkeypatch, later)

    async with town.bus("hospital-c") as hospital:
        delivery = await hospital.next(timeout_s=30)
        await town.until(lambda: town.routed(Verb.RECEIVED))
        request = delivery.payload(HandoffRequest)

        assert delivery.unreadable is None
        assert request is not None
        assert (request.service, request.reason) == (Service.MEDICAL_CARE, "Cần khám ngay")
        assert shown(delivery)["interpreter"] == "Tiếng Mông"
        assert delivery.sections[0].read is not None
        assert delivery.sections[0].read.schema == "handoff-request/1.1"

    # The same store, once the program has caught up: the field is understood.
    knows(monkeypatch, LaterRequest)
    async with town.bus("hospital-c") as hospital:
        (again,) = hospital.deliveries()
        understood = again.payload(LaterRequest)
        assert understood == later


@pytest.mark.asyncio
async def test_an_answer_that_only_a_newer_version_has_is_set_aside_and_shown(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("hospital-c") as hospital:
        opened = hotline.open_case(OPENING)
        assert (await hotline.send(opened)).accepted
        Event(
            town=town,
            source="hotline-111",
            verb=Verb.OFFERED,
            subject=opened.subject,
            recipients=("hospital-c",),
            plaintexts=(jcs({"schema": "handoff-request/1.7", "body": {**SECTION, "urgency": "by_helicopter"}}),),
        ).submit()
        delivery = await hospital.next(timeout_s=30)
        await town.until(lambda: town.routed(Verb.RECEIVED))
        request = delivery.payload(HandoffRequest)

        assert request is not None
        assert request.urgency is None
        assert shown(delivery)["urgency"] == "by_helicopter"


@pytest.mark.asyncio
async def test_an_unknown_major_version_is_shown_raw_and_answered_unreadable(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent(town, monkeypatch, NextRequest(actor=ACTOR, service=Service.MEDICAL_CARE, interpreter="Tiếng Mông"))

    async with town.bus("hospital-c") as hospital, town.bus("hotline-111") as hotline:
        delivery = await hospital.next(timeout_s=30)
        answer = await hotline.next(timeout_s=30)
        told = answer.payload(Unreadable)

        assert delivery.unreadable is not None
        assert delivery.unreadable.code is Code.UNKNOWN_SCHEMA
        assert delivery.payloads == ()
        assert shown(delivery)["service"] == "medical_care"
        assert shown(delivery)["interpreter"] == "Tiếng Mông"
        assert answer.verb is Verb.UNREADABLE
        assert told is not None
        assert (told.code, told.section) == ("unknown-schema", "s0")
        assert town.routed(Verb.RECEIVED) == []


@pytest.mark.asyncio
async def test_what_an_older_program_sent_a_newer_one_reads(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await sent(town, monkeypatch, REQUEST)
    knows(monkeypatch, LaterRequest)

    async with town.bus("hospital-c") as hospital:
        delivery = await hospital.next(timeout_s=30)
        request = delivery.payload(LaterRequest)

        assert delivery.unreadable is None
        assert request is not None
        assert (request.reason, request.interpreter) == (REQUEST.reason, None)
        assert delivery.sections[0].read is not None
        assert delivery.sections[0].read.schema == "handoff-request/1.0"


def test_a_persons_file_of_an_older_version_is_taken_by_a_newer_program(monkeypatch: pytest.MonkeyPatch) -> None:
    knows(monkeypatch, LaterRequest)

    draft = read_draft(jcs({"schema": "handoff-request/1.0", "body": SECTION}))

    assert draft.schema_id() == "handoff-request/1.1"


@pytest.mark.parametrize("form", ["mau02", "mau06", "forensic-request", "breach-notice"])
def test_a_form_that_is_sent_across_versions_loses_nothing_on_its_way(form: str) -> None:
    model = registry.MODELS[form, 1]
    body: dict[str, object] = {"actor": {"role": "system"}, "new": {"deep": ["có", 1]}, "enclosed": {"hash": "x"}}
    if form == "forensic-request":
        body["kind"] = "injury"

    read = read_section(jcs({"schema": f"{form}/1.{model.minor + 1}", "body": body}))
    rows = {row.path: row.value for row in read.rows()}

    assert read.body == body
    assert (rows["new.deep.0"], rows["new.deep.1"]) == ("có", "1")
    assert rows["enclosed.hash"] == "x"
