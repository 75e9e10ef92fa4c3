"""
The demonstration's second case: a school reports, and of those who have to act one does in time, one late, one never.

What the deadline watcher says is compared with what anybody can work out from the ledger and the rules. Only here
does somebody wait by the clock: an hour of the law is a second.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from referral_bus import HandoffKey
from referral_contracts.encoding import parse_time
from referral_contracts.payloads.deadline import Delivered, Found, Standing
from referral_contracts.payloads.shown import VIET_NAM
from referral_contracts.rules.book import RuleBook
from referral_contracts.verbs import Verb
from stage import Stage, expect
from story import CHAIR, COMMUNE, HOTLINE, POLICE, PROVINCE, SCHOOL, WATCHER
from talk import Deadline, Said

MEASURES: Final = "demo-emergency-measures"
ANSWERED: Final = "demo-handoff-answered"
RECEIVED: Final = "demo-handoff-received"
NOTICES: Final[Mapping[Verb, int]] = {
    Verb.DEADLINE_ARMED: 1,
    Verb.DEADLINE_REMINDED: 2,
    Verb.DEADLINE_MISSED: 2,
    Verb.DEADLINE_EXPLAINED: 1,
    Verb.DEADLINE_ESCALATED: 2,
}
"""What the watcher says, and how often: each of it once."""
_EVERY_S: Final = 2.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Timed:
    """The second case of the demonstration."""

    def __init__(self, stage: Stage, rules: RuleBook) -> None:
        """Play on *stage*; *rules* are those that the watcher watches by."""
        self._stage, self._teller = stage, stage.teller
        self._rules = rules
        self._handoffs: dict[str, HandoffKey] = {}
        self._due_ms: dict[str, int] = {}
        """By agency: until when it has time, worked out from the ledger and the rules."""
        self._waited_for: set[str] = set()
        """Who has not done its part so far."""

    async def play(self) -> None:
        """Let it happen, or raise NotAsTold."""
        await self._reported()
        await self._asked()
        counting = asyncio.create_task(self._count_down())
        try:
            await self._in_time()
            await asyncio.gather(self._late(), self._never())
        finally:
            counting.cancel()

    async def _reported(self) -> None:
        self._teller.chapter("Đồng hồ chạy", "another case, and every deadline is watched")
        self._teller.tell(
            "Trường báo một vụ việc khác: xã có 12 giờ cho biện pháp khẩn cấp; ở đây một giờ là một giây.",
            "Another case: the commune has 12 hours for emergency measures; here an hour is a second.",
        )
        said = await self._stage.say(SCHOOL, Verb.CASE_OPENED, files=("pupil-report",))
        self._stage.subject = said.subject
        await self._runs(COMMUNE, MEASURES, said)
        armed = await self._told(COMMUNE, Verb.DEADLINE_ARMED, Standing.RUNNING)
        expect(armed.delivery is Delivered.NOT_PROVEN, "nobody has told the commune so far, and the notice says so")
        said = await self._stage.say(SCHOOL, Verb.NOTIFIED, parts={COMMUNE: ("pupil-report",)})
        await self._stage.reaches(COMMUNE, Verb.NOTIFIED, SCHOOL, said)
        await self._stage.received(SCHOOL, COMMUNE)

    async def _asked(self) -> None:
        self._teller.tell(
            "Trường nhờ tổng đài tư vấn cho trẻ và báo tin cho công an: mỗi nơi có 10 giờ để trả lời.",
            "The school asks the hotline for counselling and tells the police: each has 10 hours to answer.",
        )
        for who, verb, file in (
            (HOTLINE, Verb.OFFERED, "pupil-hotline"),
            (POLICE, Verb.ASSIGNED, "pupil-police"),
        ):
            said = await self._stage.say(SCHOOL, verb, parts={who: (file,)})
            (self._handoffs[who],) = said.handoffs
            await self._runs(who, ANSWERED, said)
            await self._stage.reaches(who, verb, SCHOOL, said)
            await self._stage.received(SCHOOL, who)

    async def _in_time(self) -> None:
        await self._accepts(HOTLINE, "pupil-hotline-accepted")
        expect(time.time() * 1000 < self._due_ms[HOTLINE], "the hotline answers in time")
        self._teller.remark("đúng hạn / in time", "bold green")

    async def _late(self) -> None:
        await self._told(POLICE, Verb.DEADLINE_REMINDED, Standing.RUNNING)
        await self._told(POLICE, Verb.DEADLINE_MISSED, Standing.MISSED)
        await self._accepts(POLICE, "pupil-police-accepted")
        explained = await self._told(POLICE, Verb.DEADLINE_EXPLAINED, Standing.MISSED)
        expect(explained.found is Found.DONE_LATE, "the watcher adds that it was done, and late")
        self._teller.remark("ghi thêm, không xóa gì / added to what was said; nothing is taken back")

    async def _never(self) -> None:
        await self._told(COMMUNE, Verb.DEADLINE_REMINDED, Standing.RUNNING)
        missed = await self._told(COMMUNE, Verb.DEADLINE_MISSED, Standing.MISSED)
        expect(missed.delivery is Delivered.PROVEN, "by now the commune's receipt is on record")
        for level, who in enumerate((CHAIR, PROVINCE), start=1):
            escalated = await self._told(who, Verb.DEADLINE_ESCALATED, Standing.MISSED)
            expect(escalated.level == level, f"{who} is {level} above the commune, the notice says {escalated.level}")
        self._teller.remark("xã vẫn chưa làm: cấp trên biết, theo danh bạ / still not done: who is above knows", "bold")

    async def _accepts(self, who: str, file: str) -> None:
        said = await self._stage.say(who, Verb.ACCEPTED, to=[SCHOOL], files=(file,), handoff=self._handoffs[who])
        await self._stage.reaches(SCHOOL, Verb.ACCEPTED, who, said)
        self._waited_for.discard(who)

    async def _runs(self, who: str, rule_id: str, said: Said) -> None:
        """Work out until when *who* has time for what *said* started."""
        started = await self._stage.outsider.find(self._stage.subject, said.id)
        admitted_ms = parse_time(started.decision.admitted)
        rule = self._rules.in_force(rule_id, admitted_ms, None, None)
        expect(rule is not None and rule.rule.span is not None, f"the rules have {rule_id}, with a limit")
        if rule is not None and rule.rule.span is not None:
            self._due_ms[who] = admitted_ms + rule.rule.span.amount
            self._waited_for.add(who)

    async def _told(self, who: str, verb: Verb, standing: Standing) -> Deadline:
        """Return what the watcher tells *who*, which has to be what was worked out here."""
        heard = await self._stage.reaches(who, verb, WATCHER)
        self._stage.accepted += 1
        notice = heard.deadline
        if notice is None or notice.due_at is None:
            raise AssertionError(verb)
        about = who if who in self._due_ms else COMMUNE
        expect(notice.responsible == about, f"{verb.value} to {who} is about {notice.responsible}, not {about}")
        expect(notice.standing is standing, f"{verb.value} to {who}: {notice.standing.value}, not {standing.value}")
        due_at = _EPOCH + timedelta(milliseconds=self._due_ms[about])
        expect(notice.due_at == due_at, f"{verb.value} to {who}: due {notice.due_at}, not {due_at}")
        self._teller.said(WATCHER, verb.value, [who], standing.value, good=standing is not Standing.MISSED)
        known = notice.standing if notice.found is None else notice.found
        due, whose = f"{due_at.astimezone(VIET_NAM):%H:%M:%S}", "" if about == who else f"{self._teller.short(about)}: "
        self._teller.notice(
            f"{whose}{notice.vi}: {known.vi.lower()}, hạn {due}", f"{whose}{notice.en}: {known.en}, due {due}"
        )
        return notice

    async def _count_down(self) -> None:
        while True:
            left = [
                (who, self._due_ms[who] / 1000 - time.time())
                for who in sorted(self._waited_for, key=self._due_ms.__getitem__)
            ]
            running = [(who, seconds) for who, seconds in left if seconds > 0]
            if not running:
                return
            self._teller.left(running)
            await asyncio.sleep(_EVERY_S)
