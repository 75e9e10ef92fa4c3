"""The demonstration's story: one case, from the call to hotline 111 until it is closed, each step checked."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

from outsider import changed, resigned
from referral_bus import Code, HandoffKey
from referral_contracts.keys import SigningKey
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.verbs import Verb
from stage import CLOCK, Stage, expect
from talk import Heard, Part

HOTLINE: Final = "hotline-111"
COMMUNE: Final = "ubnd-xa-thi-du"
POLICE: Final = "cong-an-xa-thi-du"
HOSPITAL: Final = "bv-nhi-minh-hoa"
SOCIAL_WORK: Final = "ctxh-minh-hoa"
LEGAL_AID: Final = "tgpl-minh-hoa"
OTHER_LEGAL_AID: Final = "tgpl-gia-tuong"
SCHOOL: Final = "th-thi-du"
CHAIR: Final = "chu-tich-xa-thi-du"
PROVINCE: Final = "so-y-te-minh-hoa"
CAST: Final[Mapping[str, str]] = {
    HOTLINE: "Tổng đài 111",
    COMMUNE: "UBND xã",
    POLICE: "Công an",
    HOSPITAL: "Bệnh viện",
    SOCIAL_WORK: "CTXH",
    LEGAL_AID: "TGPL 1",
    OTHER_LEGAL_AID: "TGPL 2",
    SCHOOL: "Trường",
    CHAIR: "Chủ tịch xã",
    PROVINCE: "Sở Y tế",
}
"""Who plays, and what each is called where there is little room."""
TEAM: Final[Mapping[str, Sequence[str]]] = {
    HOSPITAL: ("hospital",),
    SOCIAL_WORK: ("social-work",),
    LEGAL_AID: ("legal-aid",),
}
"""What those of the on-scene team that may decline are given to read."""
DUTY: Final = ("police", "mau01")
"""What the police are given: a report of a crime is theirs to take, so it is assigned."""
WATCHER: Final = "deadline-watcher"
AUDITOR: Final = "thanh-tra-minh-hoa"

_SHOWN_OF_THE_FORM: Final = (
    "child_name",
    "estimated_age",
    "incident_place.address",
    "current_condition",
    "reporter_name",
    "reporter_note",
)
_GRAVE: Final = ("medical", "suspect", "safe_place", "safety.safe_contact", "reporter")
_DULL: Final = ("actor.", "place.")
_GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    "legal_basis": ("Căn cứ pháp lý", "legal basis"),
    "safety.safe_contact": ("Người liên hệ an toàn", "safe contact"),
    "reporter": ("Người báo tin (Mẫu 01)", "who reported"),
}
"""Fields that are shown as one row."""

Pause = Callable[[], AbstractContextManager[None]]
"""Holds the router for as long as the block lasts."""


class Story:
    """The first case of the demonstration."""

    def __init__(self, stage: Stage, pause: Pause, school_key: SigningKey) -> None:
        """Play on *stage*; *school_key* is the key that a forger at the school would have."""
        self._stage = stage
        self._teller, self._offices, self._outsider = stage.teller, stage.offices, stage.outsider
        self._pause = pause
        self._school_key = school_key
        self._handoffs: dict[str, HandoffKey] = {}
        """By recipient: what it is working on."""

    async def play(self) -> None:
        """Let it happen, or raise NotAsTold."""
        await self._the_call()
        await self._to_the_commune()
        await self._to_the_team()
        await self._to_the_school()
        await self._answers()
        await self._accept_against_withdraw()
        await self._forged_and_replayed()
        await self._the_work()
        await self._closing()

    async def _answer(self, who: str, verb: Verb, files: Sequence[str], opener: str = COMMUNE) -> Heard:
        """Let *who* answer what it was asked, and the opener read it."""
        said = await self._stage.say(who, verb, to=[opener], files=files, handoff=self._handoffs[who])
        return await self._stage.reaches(opener, verb, who, said)

    async def _the_call(self) -> None:
        self._teller.chapter("Cuộc gọi", "the call")
        self._teller.tell(
            "Tối 20/11, một người hàng xóm gọi 111: một bé gái khoảng 9 tuổi bị cha dượng đánh.",
            "On the evening of 20 November a neighbour calls: a girl of nine is beaten by her stepfather.",
        )
        said = await self._stage.say(HOTLINE, Verb.CASE_OPENED, files=("case-opening", "mau01"))
        self._teller.remark("cột bên phải là trả lời của trục / the column on the right is the bus's verdict")
        self._stage.subject = said.subject
        form = next(part for part in said.planned if part.form.startswith("mau01/"))
        shown = [field for field in form.fields if field.path in _SHOWN_OF_THE_FORM]
        self._teller.form(
            f"Mẫu 01 · {len(form.fields)} mục / fields, niêm phong / sealed: {self._teller.short(HOTLINE)}",
            [(field.vi, field.en, field.value) for field in shown],
        )
        entry = await self._outsider.find(self._stage.subject, said.id)
        expect(not found_in(entry.value, form), "the broker reads nothing of the form")
        self._teller.remark(f"Kafka chỉ thấy / Kafka sees only: {HOTLINE} case.opened {self._stage.subject}")

    async def _to_the_commune(self) -> None:
        self._teller.chapter("Chuyển cho xã", "the commune takes over")
        self._teller.tell(
            "Tổng đài chuyển vụ việc đến xã theo thẩm quyền (xã không được từ chối) và đề nghị xã phụ trách; xã nhận.",
            "The hotline assigns the duty, which cannot be declined, and transfers the case; they accept.",
        )
        said = await self._stage.say(HOTLINE, Verb.ASSIGNED, parts={COMMUNE: ("commune", "mau01")})
        (self._handoffs[COMMUNE],) = said.handoffs
        await self._stage.reaches(COMMUNE, Verb.ASSIGNED, HOTLINE, said)
        self._teller.remark("phần niêm phong cuối là của bộ theo dõi thời hạn / the last sealed part is the watcher's")
        await self._stage.received(HOTLINE, COMMUNE)
        said = await self._stage.say(HOTLINE, Verb.CASE_TRANSFER_OFFERED, parts={COMMUNE: ("transfer-offer",)})
        await self._stage.reaches(COMMUNE, Verb.CASE_TRANSFER_OFFERED, HOTLINE, said)
        said = await self._stage.say(COMMUNE, Verb.CASE_TRANSFER_ACCEPTED, to=[HOTLINE], files=("transfer-accepted",))
        await self._stage.reaches(HOTLINE, Verb.CASE_TRANSFER_ACCEPTED, COMMUNE, said)
        await self._answer(COMMUNE, Verb.ACCEPTED, ("commune-accepted",), HOTLINE)
        seen = await self._offices[COMMUNE].look(self._stage.subject)
        expect(seen.owned and seen.state is CaseState.OPEN, "the commune owns the open case")

    async def _to_the_team(self) -> None:
        self._teller.chapter("Đội tại hiện trường", "the police by duty, three more asked in ONE event")
        self._teller.tell(
            "Công an không được từ chối tin báo. Ba cơ quan khác chung một sự kiện, mỗi nơi chỉ mở được phần của mình.",
            "The police cannot decline a report. One event for the other three; each can open its own part alone.",
        )
        duty = await self._stage.say(COMMUNE, Verb.ASSIGNED, parts={POLICE: DUTY})
        said = await self._stage.say(COMMUNE, Verb.OFFERED, parts=TEAM)
        self._handoffs |= {key.recipient: key for key in (*duty.handoffs, *said.handoffs)}
        read = {POLICE: (await self._stage.reaches(POLICE, Verb.ASSIGNED, COMMUNE, duty)).parts}
        read |= {name: (await self._stage.reaches(name, Verb.OFFERED, COMMUNE, said)).parts for name in TEAM}
        await self._stage.received(COMMUNE, POLICE, *TEAM)
        self._show_who_reads_what(read)

    def _show_who_reads_what(self, read: Mapping[str, Sequence[Part]]) -> None:
        rows: dict[str, tuple[str, str]] = {}
        told: dict[str, set[str]] = {name: set() for name in read}
        for name, parts in read.items():
            for part in parts:
                intake = part.form.startswith("mau01/")
                for field in part.fields:
                    row = next((group for group in _GROUPS if field.path.startswith(group)), field.path)
                    told[name].add(row)
                    if (not intake or row in _GRAVE) and part.form != CLOCK and not row.startswith(_DULL):
                        rows.setdefault(row, _GROUPS.get(row, (field.vi, field.en)))
        self._teller.matrix(
            "Ai đọc được mục nào / who can read which field",
            list(read),
            [(vi, en, [row in told[name] for name in read], row in _GRAVE) for row, (vi, en) in rows.items()],
            "● mở được, trong phần của riêng mình / opened, in a part of its own · không có / not told",
        )
        for name, path in ((HOSPITAL, "medical"), (SOCIAL_WORK, "safe_place")):
            (field,) = (field for part in read[name] for field in part.fields if field.path == path)
            others = ", ".join(self._teller.short(other) for other in read if other != name)
            self._teller.quote(f"{self._teller.short(name)} · {field.vi} / {field.en}: {field.value}")
            self._teller.remark(f"niêm phong / sealed: {others}")

    async def _to_the_school(self) -> None:
        self._teller.chapter("Nhà trường", "the school, asked in an event of its own")
        self._teller.tell(
            "Xã hỏi trường về chuyên cần; trường không được biết còn có công an, bệnh viện và những nơi khác.",
            "The commune asks about attendance; that police, hospital and others exist is not the school's to know.",
        )
        said = await self._stage.say(COMMUNE, Verb.OFFERED, parts={SCHOOL: ("school",)})
        (self._handoffs[SCHOOL],) = said.handoffs
        heard = await self._stage.reaches(SCHOOL, Verb.OFFERED, COMMUNE, said)
        expect(set(heard.named) == {COMMUNE, SCHOOL, WATCHER}, f"the school's event names only: {heard.named}")
        expect(heard.counter == 1, "to the school this is the first event of the case")
        await self._stage.received(COMMUNE, SCHOOL)
        self._teller.remark(f"tên trong sự kiện / names in it: {', '.join(heard.named)}")
        self._teller.remark("nhà trường không biết có ai khác / the school cannot tell that anybody else was asked")

    async def _answers(self) -> None:
        self._teller.chapter("Trả lời", "one declines, and another is asked")
        self._teller.tell(
            "Ba nơi nhận việc. Một trung tâm trợ giúp pháp lý từ chối vì xung đột lợi ích; xã đề nghị nơi khác.",
            "Three accept. One legal-aid centre declines for a conflict of interest; the commune asks another.",
        )
        for who, file in ((POLICE, "police"), (HOSPITAL, "hospital"), (SCHOOL, "school")):
            await self._answer(who, Verb.ACCEPTED, (f"{file}-accepted",))
        heard = await self._answer(LEGAL_AID, Verb.DECLINED, ("legal-aid-declined",))
        del self._handoffs[LEGAL_AID]
        for field in heard.parts[0].fields:
            if field.path in {"reason", "explanation"}:
                self._teller.quote(f"{field.vi} / {field.en}: {field.value}")
        said = await self._stage.say(COMMUNE, Verb.OFFERED, parts={OTHER_LEGAL_AID: ("legal-aid",)})
        (self._handoffs[OTHER_LEGAL_AID],) = said.handoffs
        await self._stage.reaches(OTHER_LEGAL_AID, Verb.OFFERED, COMMUNE, said)
        await self._stage.received(COMMUNE, OTHER_LEGAL_AID)
        await self._answer(OTHER_LEGAL_AID, Verb.ACCEPTED, ("legal-aid-accepted",))

    async def _accept_against_withdraw(self) -> None:
        self._teller.chapter("Cùng một lúc", "accepted and withdrawn at the same time")
        self._teller.tell(
            "Xã rút lại đề nghị đúng lúc trung tâm công tác xã hội nhận việc: chỉ một việc có hiệu lực.",
            "The commune withdraws just as the social work centre accepts: one wins, the other is told.",
        )
        subject, handoff = self._stage.subject, self._handoffs[SOCIAL_WORK]
        moves = {
            SOCIAL_WORK: (Verb.ACCEPTED, "social-work-accepted", COMMUNE),
            COMMUNE: (Verb.WITHDRAWN, "withdrawn", SOCIAL_WORK),
        }
        with self._pause():
            # The router stands still until both are in Kafka: neither can have heard of the other.
            orders = await asyncio.gather(
                *(
                    self._offices[who].say(verb, subject=subject, handoff=handoff, files=(file,), hurry=True)
                    for who, (verb, file, _) in moves.items()
                )
            )
            expect(all(said.code is None for _, said in orders), "neither has a verdict while the router is held")
        outcome = {who: await self._offices[who].recall(number) for who, (number, _) in zip(moves, orders, strict=True)}
        winner = SOCIAL_WORK if outcome[SOCIAL_WORK].code is Code.ACCEPTED else COMMUNE
        for who, (verb, _, other) in moves.items():
            self._stage.judge(who, verb, [other], outcome[who], Code.ACCEPTED if who == winner else Code.STALE_HEAD)
        verb, _, loser = moves[winner]
        state = State.ACCEPTED if winner == SOCIAL_WORK else State.WITHDRAWN
        expect(outcome[loser].state is state, "the loser's verdict tells where the hand-off stands")
        await self._stage.reaches(loser, verb, winner)
        self._teller.remark(
            f"{self._teller.short(winner)} được ghi nhận / wins; "
            f"{self._teller.short(loser)} được báo / is told: {state.value}",
            "bold",
        )
        if winner == COMMUNE:
            del self._handoffs[SOCIAL_WORK]

    async def _forged_and_replayed(self) -> None:
        self._teller.chapter("Giả mạo và phát lại", "a forged and a replayed event")
        self._teller.tell(
            "Người vận hành ghi thẳng vào Kafka; sổ cái ghi lại vì sao bị từ chối, không hộp thư nào nhận được gì.",
            "Its operator writes straight into Kafka; the ledger says why it is refused, and no inbox sees it.",
        )
        accepted = next(
            heard for heard in self._stage.copies[COMMUNE] if (heard.verb, heard.source) == (Verb.ACCEPTED, POLICE)
        )
        true = await self._outsider.find(self._stage.subject, accepted.id)
        tries = (
            ("sửa lời công an / the police's words changed", (changed(true), true.signature), Code.BAD_SIGNATURE),
            (
                "ký bằng khóa của trường / signed with the school's key",
                resigned(true, self._school_key),
                Code.UNKNOWN_KEY,
            ),
            ("phát lại nguyên văn / replayed byte for byte", (true.value, true.signature), Code.DUPLICATE),
        )
        for told, (value, signature), wanted in tries:
            entry = await self._outsider.submit(self._stage.subject, value, signature)
            expect(entry.decision.code is wanted, f"the ledger says {entry.decision.code.value}, not {wanted.value}")
            self._teller.tried(told, wanted.value)

    async def _the_work(self) -> None:
        self._teller.chapter("Thực hiện", "progress and outcome; nothing is closed too early")
        self._teller.tell(
            "Xã thử kết thúc vụ việc quá sớm và bị từ chối; rồi từng nơi báo kết quả, xã kết thúc từng việc.",
            "The commune tries to close the case too early and is refused; then each tells its outcome.",
        )
        said = await self._stage.say(COMMUNE, Verb.CASE_CLOSED, files=("case-closing",), wanted=Code.OPEN_HANDOFFS)
        expect(set(said.still_open) == set(self._handoffs.values()), "the refusal lists what is still open")
        self._teller.remark(f"còn {len(said.still_open)} việc chưa xong / hand-offs are still open")
        work = {
            POLICE: "police",
            HOSPITAL: "hospital",
            SOCIAL_WORK: "social-work",
            OTHER_LEGAL_AID: "legal-aid",
            SCHOOL: "school",
        }
        for who, file in work.items():
            if who not in self._handoffs:
                continue
            if who in {POLICE, HOSPITAL}:
                await self._answer(who, Verb.PROGRESSED, (f"{file}-progressed",))
            await self._answer(who, Verb.COMPLETED, (f"{file}-completed",))
            await self._close(COMMUNE, who)

    async def _close(self, opener: str, recipient: str) -> None:
        handoff = self._handoffs.pop(recipient)
        said = await self._stage.say(opener, Verb.CLOSED, to=[recipient], files=("closed",), handoff=handoff)
        await self._stage.reaches(recipient, Verb.CLOSED, opener, said)

    async def _closing(self) -> None:
        self._teller.chapter("Kết thúc", "the child's state is reviewed, the duty is done, the case is closed")
        self._teller.tell(
            "Trước khi kết thúc, xã cùng nơi đã giúp trẻ rà soát tình trạng của trẻ theo Mẫu số 06.",
            "Before it ends, the commune reviews the child's state with an agency that helped it (Form 06).",
        )
        said = await self._stage.say(COMMUNE, Verb.CASE_NOTED, parts={HOSPITAL: ("mau06",)})
        await self._stage.reaches(HOSPITAL, Verb.CASE_NOTED, COMMUNE, said)
        await self._answer(COMMUNE, Verb.PROGRESSED, ("commune-progressed",), HOTLINE)
        await self._answer(COMMUNE, Verb.COMPLETED, ("commune-completed",), HOTLINE)
        await self._close(HOTLINE, COMMUNE)
        await self._stage.say(COMMUNE, Verb.CASE_CLOSED, files=("case-closing",))


def found_in(value: bytes, form: Part) -> list[str]:
    """Return the fields of *form* whose words stand somewhere in *value*."""
    return [field.path for field in form.fields if len(field.value) > 3 and field.value.encode() in value]
