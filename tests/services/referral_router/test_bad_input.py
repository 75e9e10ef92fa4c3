"""What no client of ours would send: each is refused by a code in the ledger, heard by nobody, and stops nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.encoding import event_hash, format_time, jcs
from referral_contracts.records import Record
from referral_contracts.signing import Typ
from referral_contracts.ticks import tick_statement
from referral_contracts.topics import ENVELOPE_MAX, H_SIGNATURE
from referral_contracts.verbs import Verb
from referral_router.core import examine, verify_signature
from tests.services.referral_router import founding
from tests.services.referral_router.audit import Judged
from tests.services.referral_router.founding import BUS, HOTLINE, HOUR, KEYS, NOW, POLICY
from tests.services.referral_router.world import Said, World, signed


def refused(bad: Said | Record, world: World | None = None) -> Judged:
    """Judge something bad between two good events, in one batch: they are taken, and it is heard by nobody."""
    world = world or World()
    before, after = (world.say(HOTLINE, Verb.CASE_OPENED) for _ in range(2))
    good, judged, also_good = world.submit(before, bad, after)
    assert (good.code, also_good.code) == (Code.ACCEPTED, Code.ACCEPTED)
    assert judged.code is not Code.ACCEPTED
    assert judged.deliveries == ()
    return judged


def fields(said: Said) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(said.value)
    return told


def opening() -> Said:
    return World().say(HOTLINE, Verb.CASE_OPENED)


def changed(change: Callable[[dict[str, Any]], object]) -> Said:
    told = fields(opening())
    change(told)
    return replace(signed(jcs(told)), case=opening().case)


class TestRecords:
    def test_a_record_that_the_transport_could_not_read(self) -> None:
        judged = refused(replace(opening().record(), fault=Code.MALFORMED_RECORD))

        assert (judged.code, judged.verdict, judged.value) == (Code.MALFORMED_RECORD, None, b"")

    def test_the_sender_of_what_could_not_be_delivered_is_told(self) -> None:
        said = opening()
        judged = refused(replace(said.record(), fault=Code.UNDELIVERABLE))

        assert judged.verdict is not None
        assert (judged.code, judged.verdict.code, judged.value) == (Code.UNDELIVERABLE, Code.UNDELIVERABLE, said.value)

    def test_a_forgery_that_could_not_be_delivered_is_a_forgery(self) -> None:
        said = replace(opening(), signature=opening().signature)
        judged = refused(replace(said.record(), fault=Code.UNDELIVERABLE))

        assert (judged.code, judged.verdict) == (Code.BAD_SIGNATURE, None)

    def test_a_null_value(self) -> None:
        judged = refused(replace(opening().record(), value=None))

        assert (judged.code, judged.verdict) == (Code.NULL_VALUE, None)
        assert (judged.decision.size, judged.decision.event) == (0, event_hash(b""))

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            pytest.param((), Code.MISSING_HEADER, id="no header"),
            pytest.param(((H_SIGNATURE, None),), Code.MISSING_HEADER, id="a header without a value"),
            pytest.param((("Signature", b"x"),), Code.UNEXPECTED_HEADER, id="another header"),
            pytest.param((("", b""),), Code.UNEXPECTED_HEADER, id="a header without a name"),
            pytest.param((("traceparent", b"00"), (H_SIGNATURE, b"x")), Code.UNEXPECTED_HEADER, id="one header more"),
            pytest.param(((H_SIGNATURE, b"x"), (H_SIGNATURE, b"x")), Code.UNEXPECTED_HEADER, id="two signatures"),
            pytest.param(((H_SIGNATURE, b"x"),) * 1000, Code.UNEXPECTED_HEADER, id="a thousand signatures"),
        ],
    )
    def test_headers_that_are_not_exactly_one_signature(
        self, headers: tuple[tuple[str, bytes | None], ...], code: Code
    ) -> None:
        judged = refused(replace(opening().record(), headers=headers))

        assert (judged.code, judged.verdict) == (code, None)

    @pytest.mark.parametrize(
        "key",
        [
            pytest.param(None, id="no key"),
            pytest.param(b"", id="an empty key"),
            pytest.param(b"\xff", id="not UTF-8"),
            pytest.param(b"0" * 32, id="another case"),
            pytest.param(b"x" * 100_000, id="a very long key"),
        ],
    )
    def test_a_key_that_is_not_the_case(self, key: bytes | None) -> None:
        judged = refused(replace(opening().record(), key=key))

        assert judged.code is Code.WRONG_PARTITION
        assert judged.verdict is not None

    def test_a_partition_that_is_not_the_cases(self) -> None:
        world = World(partitions=2, partition=0)
        elsewhere = (said for _ in count() if world.partition_of((said := world.say(HOTLINE, Verb.CASE_OPENED)).case))
        said = next(elsewhere)

        assert world.code(said) is Code.WRONG_PARTITION

    def test_a_stamp_that_is_not_the_brokers(self) -> None:
        world = World()
        judged = refused(replace(opening().record(), stamp_type=0, stamp_ms=2**62), world)

        assert (judged.code, judged.verdict) == (Code.TOPIC_MISCONFIGURED, None)
        # Neither does it move the time of anything that comes after.
        assert world.router.after is not None
        assert world.router.after.admitted_ms == NOW

    def test_what_nobody_is_known_to_have_said_is_kept_by_nobody(self) -> None:
        world = World()
        name = "Nguyễn Văn An".encode()
        record = Record(0, 0, 0, name, name * 1000, ((H_SIGNATURE, opening().signature),))
        judged = refused(record, world)

        assert (judged.value, judged.decision.size) == (b"", len(name) * 1000)
        assert not any(
            name in part
            for write in world.steps[-1].writes
            for part in (write.key or b"", write.value or b"", *(value for _, value in write.headers))
        )


class TestBytes:
    @pytest.mark.parametrize(
        ("value", "code"),
        [
            pytest.param(b"", Code.MALFORMED_JSON, id="nothing"),
            pytest.param(b"Xin chao", Code.MALFORMED_JSON, id="not JSON"),
            pytest.param(opening().value.replace(b"hotline", b"\xff\xfe"), Code.MALFORMED_JSON, id="not UTF-8"),
            pytest.param(b"[" * 10_000, Code.MALFORMED_JSON, id="nested 10,000 deep"),
            pytest.param(b'{"source":"hotline-111","data":' + b"[" * 10_000, Code.MALFORMED_JSON, id="deep in data"),
            pytest.param(b'"' + b'\\"' * 100_000, Code.MALFORMED_JSON, id="a string that never ends"),
            pytest.param(b"null", Code.MALFORMED_ENVELOPE, id="null"),
            pytest.param(b"[]", Code.MALFORMED_ENVELOPE, id="a list"),
            pytest.param(b"{}", Code.MALFORMED_ENVELOPE, id="an empty object"),
            pytest.param(b'{"source":1}', Code.MALFORMED_ENVELOPE, id="a source that is a number"),
            pytest.param(b'{"source":"hotline-111\\n"}', Code.MALFORMED_ENVELOPE, id="a source and a newline"),
            pytest.param(b" " * (ENVELOPE_MAX + 1), Code.OVERSIZE, id="oversize, and not JSON"),
            pytest.param(
                opening().value.replace(b'"source":', b'"source":"ward-a","source":'),
                Code.NOT_CANONICAL,
                id="two sources",
            ),
            pytest.param(
                opening().value.replace(b'"bus":', b'"bus":"production","bus":'), Code.NOT_CANONICAL, id="two buses"
            ),
            pytest.param(
                opening().value.replace(b'"exercise":false', b'"exercise":NaN'), Code.MALFORMED_JSON, id="NaN"
            ),
        ],
    )
    def test_what_does_not_say_who_speaks_is_nobodys(self, value: bytes, code: Code) -> None:
        judged = refused(replace(signed(value), case=opening().case))

        assert (judged.code, judged.verdict, judged.value) == (code, None, b"")
        assert (judged.decision.size, judged.decision.event) == (len(value), event_hash(value))

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            pytest.param(changed(lambda e: e.pop("bus")), Code.MALFORMED_ENVELOPE, id="a field less"),
            pytest.param(changed(lambda e: e.update(name="x")), Code.MALFORMED_ENVELOPE, id="a field more"),
            pytest.param(changed(lambda e: e.update(id="1")), Code.MALFORMED_ENVELOPE, id="an id that is none"),
            pytest.param(
                changed(lambda e: e.update(id=e["id"] + "\n")), Code.MALFORMED_ENVELOPE, id="an id and a newline"
            ),
            pytest.param(
                changed(lambda e: e.update(subject=e["subject"] + "\n")),
                Code.MALFORMED_ENVELOPE,
                id="a subject and a newline",
            ),
            pytest.param(
                changed(lambda e: e.update(subject='"},"code":"accepted')),
                Code.MALFORMED_ENVELOPE,
                id="a subject that is a piece of a verdict",
            ),
            pytest.param(
                changed(lambda e: e["data"].update(recipients=["Ward A"])),
                Code.MALFORMED_ENVELOPE,
                id="a recipient that is none",
            ),
            pytest.param(
                changed(lambda e: e.update(time="2026-02-30T00:00:00.000Z")), Code.MALFORMED_VALUE, id="no such time"
            ),
            pytest.param(changed(lambda e: e.update(type="a.b.v1")), Code.UNKNOWN_TYPE, id="an unknown type"),
            pytest.param(
                changed(lambda e: e.update(type=Verb.CASE_OPENED.type[:-1] + "2")),
                Code.UNKNOWN_VERSION,
                id="an unknown version",
            ),
            pytest.param(changed(lambda e: e.update(more="x" * ENVELOPE_MAX)), Code.OVERSIZE, id="oversize"),
            pytest.param(changed(lambda e: e.update(bus="production")), Code.WRONG_BUS, id="another bus"),
            pytest.param(
                replace(signed(json.dumps(fields(opening())).encode()), case=opening().case),
                Code.NOT_CANONICAL,
                id="white space",
            ),
        ],
    )
    def test_who_can_be_told_apart_is_told(self, said: Said, code: Code) -> None:
        judged = refused(said)

        assert judged.code is code
        assert judged.verdict is not None
        assert judged.value == said.value

    def test_a_verdict_names_only_what_was_spelled_right(self) -> None:
        said = changed(lambda e: e.update(id="Nguyen", more=1))
        verdict = refused(said).verdict

        assert verdict is not None
        assert (verdict.id, verdict.subject) == (None, fields(said)["subject"])


class TestTime:
    @pytest.mark.parametrize("offset", [-2 * HOUR - 1, 2 * HOUR + 1, -1000 * HOUR, 1000 * HOUR])
    def test_a_time_outside_the_window(self, offset: int) -> None:
        said = World(now=NOW + offset).say(HOTLINE, Verb.CASE_OPENED)
        judged = refused(said)

        assert judged.code is Code.OUTSIDE_WINDOW
        assert judged.verdict is not None
        assert judged.verdict.clock_offset_ms == offset

    @pytest.mark.parametrize("offset", [-2 * HOUR, 0, 2 * HOUR])
    def test_a_time_at_the_edge_of_the_window_is_taken(self, offset: int) -> None:
        assert World().code(World(now=NOW + offset).say(HOTLINE, Verb.CASE_OPENED)) is Code.ACCEPTED


class TestAnything:
    @given(
        st.builds(
            Record,
            partition=st.just(0),
            offset=st.just(0),
            stamp_ms=st.integers(-(2**63), 2**63 - 1),
            key=st.none() | st.binary(max_size=40),
            value=st.none() | st.binary(max_size=60) | st.just(opening().value),
            headers=st.lists(
                st.tuples(
                    st.just(H_SIGNATURE) | st.text(max_size=9),
                    st.none() | st.binary(max_size=60) | st.just(opening().signature),
                ),
                max_size=3,
            ).map(tuple),
            stamp_type=st.sampled_from([-1, 0, 1]),
            fault=st.none() | st.sampled_from(Code),
        )
    )
    def test_any_record_is_examined_without_an_error(self, record: Record) -> None:
        found = examine(record, founding.directory(), BUS)
        verify_signature(found)

        assert found.code is not None or found.sender is not None

    @given(st.binary(max_size=80))
    def test_any_bytes_with_a_good_signature_are_judged(self, value: bytes) -> None:
        assert refused(signed(value)).verdict is None

    @given(st.data())
    def test_any_envelope_with_a_good_signature_is_judged(self, data: st.DataObject) -> None:
        told = fields(opening())
        at = told if data.draw(st.booleans()) else told["data"]
        at[data.draw(st.sampled_from(sorted(at)))] = data.draw(
            st.none()
            | st.integers(-9, 9)
            | st.text(max_size=30)
            | st.booleans()
            | st.lists(st.text(max_size=9), max_size=3)
        )
        world = World()

        judged = world.judge(signed(jcs(told), key=KEYS[HOTLINE].signing, case=str(told["subject"])))

        assert isinstance(judged.code, Code)


def ticking(world: World, time_ms: int) -> Record:
    value = tick_statement(BUS, world.partition, format_time(time_ms))
    return Record(0, 0, 0, None, value, ((H_SIGNATURE, KEYS["watcher"].signing.sign(Typ.TICK, value).encode()),))


class TestTicks:
    def test_a_tick_moves_time_and_is_no_decision(self) -> None:
        world = World()
        world.open_case()
        tick = ticking(world, NOW)
        world.now += HOUR
        step = world.step(world.take([tick]))

        assert world.commit(step) == []
        passed, position = step.writes
        assert (passed.value, dict(passed.headers)["kind"]) == (tick.value, b"tick")
        assert dict(passed.headers)["admitted"] == b"2026-09-21T15:13:20.000Z"
        assert position.key == b"@position"
        assert step.after.admitted_ms == NOW + HOUR
        assert step.after.counter == 1

    def test_a_tick_raises_no_floor(self) -> None:
        # Which directory it was passed by no record tells: here one under which much less was remembered.
        world = World(directory=founding.under(POLICY.model_copy(update={"window_ms": 60_000})))
        world.submit(ticking(world, NOW))
        world.now += HOUR
        world.submit(ticking(world, NOW + HOUR))
        assert world.router.after is not None
        assert world.router.after.floor_ms == 0

        world.directory = founding.directory()
        late = world.say(HOTLINE, Verb.CASE_OPENED, time=format_time(NOW))
        assert world.code(late) is Code.ACCEPTED

    @pytest.mark.parametrize(
        ("signer", "typ", "partition", "time", "code"),
        [
            (HOTLINE, Typ.TICK, 0, "2026-11-22T12:44:00.000Z", Code.UNKNOWN_KEY),
            ("watcher", Typ.EVENT, 0, "2026-11-22T12:44:00.000Z", Code.MALFORMED_ENVELOPE),
            ("watcher", Typ.TICK, 1, "2026-11-22T12:44:00.000Z", Code.MALFORMED_ENVELOPE),
            ("watcher", Typ.TICK, 0, "tomorrow", Code.MALFORMED_VALUE),
        ],
    )
    def test_a_tick_of_anothers_or_for_elsewhere(
        self, signer: str, typ: Typ, partition: int, time: str, code: Code
    ) -> None:
        value = jcs({"bus": BUS, "kind": "tick", "partition": partition, "time": time})
        signature = KEYS[signer].signing.sign(typ, value).encode()

        judged = refused(Record(0, 0, 0, None, value, ((H_SIGNATURE, signature),)))

        assert (judged.code, judged.verdict) == (code, None)

    def test_a_tick_that_the_watcher_did_not_sign(self) -> None:
        tick = ticking(World(), NOW)
        forged = replace(tick, headers=ticking(World(), NOW + 1).headers)

        assert refused(forged).code is Code.BAD_SIGNATURE
