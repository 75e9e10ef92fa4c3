"""A case is closed, put away after its time and taken up again: one story, on a simulated bus and on a real one."""

from collections.abc import Awaitable, Callable
from typing import Final

from referral_bus import Code, ReferralBus
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.turn import Reopening, ReopeningReason
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import example
from tests.sdk.town import NOTE, heard

AGAIN: Final = Reopening(actor=Actor(role=Role.DUTY_OFFICER), reason=ReopeningReason.ABUSE_AGAIN)


async def put_away_and_taken_up(
    owner: ReferralBus,
    other: ReferralBus,
    names: tuple[str, str],
    asked: Payload,
    pass_time: Callable[[str], Awaitable[None]],
) -> None:
    """
    Tell it.

    Args:
        owner: Opens the case.
        other: Is asked for help, in the life of the case before it was put away and in the one after it.
        names: Of the two.
        asked: What the other is asked.
        pass_time: Lets the time pass that a closed case is kept whole.
    """
    us, them = names
    sent = await owner.send(owner.open_case(example("case-opening")))
    case = sent.subject
    before = await _helped(owner, other, them, case, asked)
    assert before == 1
    assert (await owner.send(owner.close_case(case, example("case-closing")))).accepted
    # A closed case is whole: who had part in it may still say something.
    assert (await other.send(other.note(case, {us: [NOTE]}))).accepted
    await pass_time(case)

    # Put away: its owner is told that, and whoever else was in it what strangers are told.
    assert (await owner.send(owner.note(case, {them: [NOTE]}))).code is Code.ARCHIVED
    assert (await other.send(other.note(case, {us: [NOTE]}))).code is Code.NOT_FOUND
    taken_up = await owner.send(owner.reopen_case(case, AGAIN))
    assert taken_up.verdict is not None
    assert (taken_up.code, taken_up.verdict.case_restored) == (Code.ACCEPTED, 1)
    assert (await other.send(other.note(case, {us: [NOTE]}))).code is Code.NOT_FOUND

    # The other is in it again by what is new, counts from one, and misses nothing.
    again = await _helped(owner, other, them, case, asked)
    assert again == 1
    assert (await owner.send(owner.close_case(case, example("case-closing")))).accepted
    view = owner.case(case)
    assert view is not None
    assert (view.state, len(view.handoffs)) == (CaseState.CLOSED, 2)
    assert (owner.alarms(), other.alarms()) == ((), ())


async def _helped(owner: ReferralBus, other: ReferralBus, them: str, case: str, asked: Payload) -> int:
    """Let *other* be asked and help until the hand-off is closed; return which delivery of the case the request was."""
    sent = await owner.send(owner.offer(case, {them: [asked]}))
    (key,) = sent.handoffs
    request = await heard(other, Verb.OFFERED)
    assert request.subject == case
    assert (await other.wait(await request.accept(example("legal-aid-accepted")))).accepted
    assert (await other.wait(await request.complete(example("legal-aid-completed")))).accepted
    done = await heard(owner, Verb.COMPLETED)
    assert (await owner.wait(await done.close(example("closed")))).accepted
    await heard(other, Verb.CLOSED)
    found = owner.handoff(key)
    assert found is not None
    assert found.state is State.CLOSED
    return request.counter
