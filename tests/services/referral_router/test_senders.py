"""Whose signature counts: one valid event key of the source, at the moment the event was admitted."""

from dataclasses import replace

import pytest

from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.directory_model import Delivery, Entry
from referral_contracts.encoding import b64
from referral_contracts.keys import SigningKey
from referral_contracts.records import Record
from referral_contracts.signing import Typ
from referral_contracts.topics import H_SIGNATURE
from referral_contracts.verbs import Verb
from tests.services.referral_router import founding
from tests.services.referral_router.founding import (
    BUS,
    DAY,
    HOTLINE,
    HOUR,
    KEYS,
    NO_INBOX,
    NOW,
    OFF_BUS,
    WARD,
    WATCHER,
)
from tests.services.referral_router.test_bad_input import refused
from tests.services.referral_router.world import Said, World, section

# R = the identity, S = 0: the signature of every message by the point of order 1.
CONSTANT = b64(b"\x01" + bytes(63))


def opening(source: str = HOTLINE, key: SigningKey | None = None) -> Said:
    return World().say(source, Verb.CASE_OPENED, key=key)


def with_signature(signature: bytes) -> Record:
    return replace(opening().record(), headers=((H_SIGNATURE, signature),))


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        pytest.param(b"", Code.MALFORMED_SIGNATURE, id="empty"),
        pytest.param(b"\xff" * 300, Code.MALFORMED_SIGNATURE, id="no text"),
        pytest.param(opening().signature[:-1], Code.MALFORMED_SIGNATURE, id="truncated"),
        pytest.param(opening().signature + b"\n", Code.MALFORMED_SIGNATURE, id="a newline behind"),
        pytest.param(opening().signature * 2, Code.MALFORMED_SIGNATURE, id="twice"),
        pytest.param(opening().signature, Code.BAD_SIGNATURE, id="of another event"),
        pytest.param(
            KEYS[HOTLINE].signing.sign(Typ.TICK, opening().value).encode(), Code.MALFORMED_SIGNATURE, id="as a tick"
        ),
        pytest.param(
            KEYS[HOTLINE].signing.sign(Typ.HEAD, opening().value).encode(), Code.MALFORMED_SIGNATURE, id="as a head"
        ),
        pytest.param(
            opening().signature.partition(b"..")[0] + b".." + CONSTANT.encode(),
            Code.BAD_SIGNATURE,
            id="the constant one",
        ),
    ],
)
def test_a_signature_that_is_not_over_these_bytes_is_nobodys(signature: bytes, code: Code) -> None:
    judged = refused(with_signature(signature))

    assert (judged.code, judged.verdict, judged.value) == (code, None, b"")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        pytest.param(KEYS[WARD].signing, Code.UNKNOWN_KEY, id="another agency's"),
        pytest.param(SigningKey.generate(), Code.UNKNOWN_KEY, id="nobody's"),
        pytest.param(KEYS[HOTLINE].spare["expired"], Code.KEY_NOT_VALID, id="expired"),
        pytest.param(KEYS[HOTLINE].spare["early"], Code.KEY_NOT_VALID, id="not yet valid"),
        pytest.param(KEYS[HOTLINE].spare["revoked"], Code.KEY_NOT_VALID, id="revoked"),
    ],
)
def test_a_key_that_is_not_a_valid_one_of_the_source_signs_nothing(key: SigningKey, code: Code) -> None:
    judged = refused(opening(key=key))

    assert (judged.code, judged.verdict, judged.value) == (code, None, b"")


def test_the_constant_signature_of_a_small_order_key_is_refused_though_a_directory_lists_it() -> None:
    # Admission refuses such a key; a directory that had one all the same would not load it.
    weak = b64(b"\x01" + bytes(31))
    directory = founding.directory()
    listed = directory.entries[HOTLINE].replace(b64(KEYS[HOTLINE].signing.public).encode(), weak.encode())
    world = World(directory=Directory(directory.head, {**directory.entries, HOTLINE: listed}))

    assert world.code(opening(WARD)) is Code.ACCEPTED
    judged = world.judge(with_signature(opening().signature.partition(b"..")[0] + b".." + CONSTANT.encode()))
    assert (judged.code, judged.verdict) == (Code.WEAK_KEY, None)


def test_a_key_counts_when_the_event_is_admitted_and_not_when_it_was_signed() -> None:
    early = World(now=NOW + DAY - HOUR)
    said = early.say(HOTLINE, Verb.CASE_OPENED, key=KEYS[HOTLINE].spare["early"])
    late = World(now=NOW + DAY)

    assert early.code(said) is Code.KEY_NOT_VALID
    assert late.code(said) is Code.ACCEPTED


def test_a_source_that_the_directory_does_not_know_is_nobody() -> None:
    said = World().say("unknown-z", Verb.CASE_OPENED, key=KEYS[HOTLINE].signing, sections=[section(WATCHER)])
    judged = refused(said)

    assert (judged.code, judged.verdict) == (Code.UNKNOWN_SENDER, None)


@pytest.mark.parametrize("source", [OFF_BUS, NO_INBOX])
def test_a_sender_that_could_not_be_answered_is_not_heard(source: str) -> None:
    judged = refused(opening(source))

    assert (judged.code, judged.verdict, judged.value) == (Code.TOPIC_MISSING, None, b"")


@pytest.mark.parametrize("delivery", [Delivery(agency="ward-a", kind="via"), Delivery(kind="off-bus")])
def test_nor_is_one_that_has_left_the_bus_and_kept_its_topic(delivery: Delivery) -> None:
    left = founding.entry(HOTLINE).model_copy(update={"delivery": delivery})
    world = World(directory=founding.with_entry(left))
    judged = world.judge(opening())

    assert (judged.code, judged.verdict, judged.value) == (Code.TOPIC_MISSING, None, b"")


def test_every_event_of_a_directory_without_a_watcher_lacks_its_clock() -> None:
    directory = founding.directory()
    watcher = Entry.decode(directory.entries[WATCHER]).model_copy(update={"roles": ()})
    world = World(directory=Directory(directory.head, {**directory.entries, WATCHER: watcher.encode()}))

    # And nobody can send ticks either.
    assert world.code(world.say(HOTLINE, Verb.CASE_OPENED)) is Code.WRONG_READERS
    value = b'{"bus":"training","kind":"tick","partition":0,"time":"2026-11-22T12:44:00.000Z"}'
    tick = Record(0, 0, 0, None, value, ((H_SIGNATURE, KEYS[WATCHER].signing.sign(Typ.TICK, value).encode()),))
    assert world.code(tick) is Code.UNKNOWN_SENDER


def test_a_signature_is_made_for_one_bus() -> None:
    # The same keys on two buses: what was said on one is refused on the other, and the sender is told.
    value = opening().value.replace(f'"bus":"{BUS}"'.encode(), b'"bus":"production"')
    said = replace(opening(), value=value, signature=KEYS[HOTLINE].signing.sign(Typ.EVENT, value).encode())
    judged = refused(said)

    assert judged.code is Code.WRONG_BUS
    assert judged.verdict is not None
