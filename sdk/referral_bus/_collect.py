"""
Collects receipts: a signed verdict promises that its decision is in the log, and somebody has to look.

It asks by itself, one at a time and beside everything else: nothing waits for it. What does not come within a set time
is an alarm, and so is an answer that proves nothing; the verdict stays as evidence. A log that is down for less than
that time is no news. What is missing is asked for without an end, at pauses that grow to a day, and the alarm is over
when it comes. A receipt that is good and still without its witnesses is kept, and asked for again for a month.
"""

import asyncio
from contextlib import suppress
from typing import Final

from referral_bus._home import Home
from referral_bus._store import alarms, inbox, receipts
from referral_bus._store.receipts import Owed
from referral_bus._waiting import within
from referral_bus.log import LogAccess, LogReceipt, LogTransport
from referral_contracts.codes import Code
from referral_contracts.decisions import read_verdict
from referral_contracts.encoding import b64
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log.proof import Proven, Receipt, verify_receipt
from referral_contracts.merkle import leaf_hash

_AT_ONCE: Final = 32
_POLL_S: Final = 1.0


class Collector:
    """Asks for what the log owes us."""

    def __init__(self, home: Home, access: LogAccess | None) -> None:
        """Ask the log that *access* names; without it nothing is asked, and what is owed stays noted."""
        self._home, self._access = home, access
        self._log: LogTransport | None = None

    async def run(self) -> None:
        """Ask until cancelled."""
        home = self._home
        while self._access is not None:
            due = receipts.due(home.store.db, home.clock.now_ms(), _AT_ONCE)
            for owed in due:
                with suppress(LocalError):
                    await self._ask(self._access, owed)
                    continue
                # It is away: whatever else is due would wait for it as long, one after the other.
                self._put_off(self._access, [one for one in due if one.position != owed.position], away=True)
                break
            if not due:
                await self._wait()
            await asyncio.sleep(0)

    async def _wait(self) -> None:
        home = self._home
        next_ms = receipts.next_due(home.store.db)
        if next_ms is None:
            await home.receipts.wait()
            return
        left_ms = min(next_ms - home.clock.now_ms(), receipts.PAUSES_MS[-1])
        with suppress(TimeoutError):
            await within(home.clock, max(1, left_ms) / 1000, home.receipts.wait())

    async def close(self) -> None:
        """Let go of the log."""
        if self._log is not None:
            await self._log.close()

    async def receipt(self, event_id: str, deadline_ms: int) -> LogReceipt:
        """
        Return the receipt of an event of ours, or of one that was delivered to us: a kept one, else ask for it.

        Raises:
            LocalError: NOT_FOUND: no such event, or no verdict on it yet. LOG_AWAY: the log has none by then,
                does not answer, or is not known.
            RemoteError: What the log has of a delivery proves nothing.
        """
        access, home = self._access, self._home
        if access is None:
            raise LocalError(Code.LOG_AWAY, "no log and no policy is known")
        owed = receipts.of_event(home.store.db, event_id)
        if owed is None:
            return await self._of_delivery(access, event_id, deadline_ms)
        while not owed.witnessed:
            try:
                await self._ask(access, owed, counts=False)
            except LocalError:
                if owed.receipt is None and home.clock.now_ms() >= deadline_ms:
                    raise
            owed = receipts.of_event(home.store.db, event_id) or owed
            if owed.receipt is not None:
                break
            await self._pause(deadline_ms)
        if owed.receipt is None:
            raise LocalError(Code.LOG_AWAY, "the log has no receipt of it yet")
        proven = _checked(access, owed, owed.receipt)
        return LogReceipt(
            event_id=event_id, receipt=owed.receipt, value=owed.value, signature=owed.signature, proven=proven
        )

    async def _of_delivery(self, access: LogAccess, event_id: str, deadline_ms: int) -> LogReceipt:
        stored = inbox.with_id(self._home.store.db, event_id)
        if stored is None:
            raise LocalError(Code.NOT_FOUND, "no such event here, or no verdict on it yet")
        while (found := await self._transport(access).receipt(stored.hash, None)) is None:
            await self._pause(deadline_ms)
        proven = verify_receipt(Receipt.decode(found), stored.signature, stored.value, access.policy)
        return LogReceipt(
            event_id=event_id, receipt=found, value=stored.value, signature=stored.signature, proven=proven
        )

    async def _pause(self, deadline_ms: int) -> None:
        left_s = (deadline_ms - self._home.clock.now_ms()) / 1000
        if left_s <= 0:
            raise LocalError(Code.LOG_AWAY, "the log has no receipt of it yet")
        await self._home.clock.sleep(min(_POLL_S, left_s))

    def _transport(self, access: LogAccess) -> LogTransport:
        if self._log is None:
            self._log = access.open()
        return self._log

    async def _ask(self, access: LogAccess, owed: Owed, *, counts: bool = True) -> None:
        """
        Ask for one receipt, and keep what came of it; out of turn it does not count as one of the tries.

        Raises:
            LocalError: LOG_AWAY; it is noted as asked for in vain.
        """
        verdict = read_verdict(owed.verdict)
        try:
            found = await self._transport(access).receipt(owed.event, (verdict.partition, verdict.counter))
        except LocalError:
            self._put_off(access, [owed], away=True)
            raise
        if found is None:
            self._put_off(access, [owed])
            return
        try:
            proven = _checked(access, owed, found)
        except RemoteError as error:
            self._put_off(access, [owed], error.code, found)
            return
        with self._home.store.write(durable=False) as db:
            due_ms = self._home.clock.now_ms() + _pause_ms(owed)
            receipts.keep(db, owed, found, due_ms, witnessed=proven.witnessed, counts=counts)
            if owed.alarmed and not receipts.is_missing(db, owed.subject):
                alarms.end(db, Code.RECEIPT_MISSING, owed.subject)
        self._home.changed.ring()

    def _put_off(
        self,
        access: LogAccess,
        vain: list[Owed],
        code: Code | None = None,
        wrong: bytes | None = None,
        *,
        away: bool = False,
    ) -> None:
        home, now_ms = self._home, self._home.clock.now_ms()
        patience_ms = round(access.patience_s * 1000)
        with home.store.write(durable=False) as db:
            for owed in vain:
                overdue_ms = (now_ms if owed.asked_ms is None else owed.asked_ms) + patience_ms
                missing = owed.receipt is None and now_ms >= overdue_ms and not owed.alarmed
                if missing or (code is not None and not owed.refuted):
                    detail = f"the log does not show {owed.id}, which the verdict there promises"
                    found = code or Code.RECEIPT_MISSING
                    subject, position = owed.subject, owed.position
                    alarms.raise_alarm(db, found, home.now_ms(), detail=detail, subject=subject, position=position)
                    receipts.set_alarmed(db, owed, wrong)
                # Asked once more when the time is over, and not only at the end of a long pause.
                pause_ms, left_ms = _pause_ms(owed, away=away), overdue_ms - now_ms
                due_ms = now_ms + (min(pause_ms, left_ms) if left_ms > 0 else pause_ms)
                receipts.put_off(db, owed, now_ms, due_ms, away=away)
        home.changed.ring()


def _pause_ms(owed: Owed, *, away: bool = False) -> int:
    return receipts.PAUSES_MS[min(owed.tries, receipts.AWAY if away else len(receipts.PAUSES_MS) - 1)]


def _checked(access: LogAccess, owed: Owed, found: bytes) -> Proven:
    proven = verify_receipt(Receipt.decode(found), owed.signature, owed.value, access.policy)
    if b64(leaf_hash(proven.entry.decision)) != read_verdict(owed.verdict).decision:
        raise RemoteError(Code.BAD_PROOF, "another decision than the verdict told")
    return proven
