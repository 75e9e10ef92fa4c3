from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from referral_bus.registrar import Registrar, Term, event_key_record, sealing_key_record, trust_root
from referral_contracts import directory_model as wire
from referral_contracts.codes import Code
from referral_contracts.directory import (
    POLICY_KEY,
    Directory,
    TrustRoot,
    apply,
    assemble,
    head_hash,
    possession,
)
from referral_contracts.directory_model import (
    Change,
    Delivery,
    Entry,
    Head,
    KeyRecord,
    MayKnow,
    MaySend,
    Names,
    Policy,
    SignedHead,
    WireVersion,
)
from referral_contracts.encoding import b64, format_time
from referral_contracts.errors import LocalError
from referral_contracts.keys import SealingKey, SigningKey
from referral_contracts.signing import Typ
from referral_contracts.topics import CHANGE_MAX
from referral_contracts.verbs import Verb
from tests.contracts.refusals import answers, code_of

BUS: Final = "training"
NOW: Final = 1_790_000_000_000
HOUR: Final = 3_600_000
YEAR: Final = 365 * 24 * HOUR
TERM: Final = Term(from_ms=NOW, until_ms=NOW + YEAR)
# The point of order 1, for which one constant signature verifies everything.
IDENTITY: Final = b"\x01" + bytes(31)

ROOTS: Final = [SigningKey.from_seed(bytes([number]) * 32) for number in (1, 2, 3)]
SIGNING: Final = {name: SigningKey.from_seed(bytes([10 + number]) * 32) for number, name in enumerate("abcdef")}
SEALING: Final = {name: SealingKey.from_bytes(bytes([10 + number]) * 96) for number, name in enumerate("abcdef")}
POLICY: Final = Policy(
    may_know=(MayKnow(answers="team", roles=("police", "hospital")), MayKnow(roles=("police", "school"))),
    may_open=("hotline",),
    may_send=(
        MaySend(recipients=("*",), senders=("hotline",), verbs=("handoff.*", "case.noted")),
        MaySend(recipients=("hotline",), senders=("*",), verbs=("handoff.notified",)),
    ),
)


def signing_record(agency: str, name: str = "", **over: Any) -> KeyRecord:
    record = event_key_record(BUS, agency, SIGNING[name or agency], TERM)
    return record.model_copy(update=over)


def sealing_record(agency: str, name: str = "", *, desk: str | None = None, term: Term = TERM) -> KeyRecord:
    return sealing_key_record(BUS, agency, SEALING[name or agency], term, signer=SIGNING[agency], desk=desk)


def entry(agency: str, *keys: KeyRecord, roles: Sequence[str] = ("police",), **over: Any) -> Entry:
    return Entry(
        id=agency,
        keys=keys or (signing_record(agency), sealing_record(agency)),
        names=Names(en=agency, vi=agency),
        roles=tuple(roles),
        **{"delivery": Delivery(kind="bus"), **over},
    )


def registrar(*keys: SigningKey) -> Registrar:
    return Registrar(agency="registrar", bus=BUS, keys=keys or ROOTS[:1])


def root(threshold: int = 1, *keys: SigningKey) -> TrustRoot:
    return trust_root(BUS, keys or ROOTS[:1], threshold)


def change(
    before: Directory | None, *entries: Entry, policy: Policy | None = None, by: Registrar | None = None
) -> Change:
    value, _ = (by or registrar()).change(before, NOW, YEAR, agencies=entries, policy=policy)
    return Change.decode(value)


def owners(directory: Directory) -> Mapping[str, str]:
    found = [Entry.decode(value) for key, value in directory.entries.items() if key != POLICY_KEY]
    return {key.kid: agency.id for agency in found for key in agency.keys}


def after(before: Directory, *entries: Entry, policy: Policy | None = None) -> Directory:
    return apply(before, change(before, *entries, policy=policy), root(), owners(before))


@cache
def first() -> Directory:
    members = entry("a", roles=["hotline"]), entry("b"), entry("c", roles=["hospital"]), entry("d", roles=["school"])
    return apply(None, change(None, *members, policy=POLICY), root(), {})


def code_after(*entries: Entry) -> Code | None:
    return code_of(lambda: after(first(), *entries))


def signed(head: Head, *keys: SigningKey) -> SignedHead:
    return SignedHead(head=head, signatures=tuple(key.sign(Typ.HEAD, head.encode()) for key in keys))


class TestModels:
    @pytest.mark.parametrize(
        "model",
        [
            model
            for model in vars(wire).values()
            if isinstance(model, type) and issubclass(model, BaseModel) and model.model_fields
        ],
    )
    def test_fields_stand_in_alphabetical_order(self, model: type[BaseModel]) -> None:
        assert all(one < other for one, other in pairwise(model.model_fields))

    @pytest.mark.parametrize("model", [Entry, Change, SignedHead, Head, Policy])
    @given(value=st.binary(max_size=100))
    def test_any_bytes_give_a_record_or_our_error(self, model: type[wire._Wire], value: bytes) -> None:
        answers(lambda: model.decode(value))

    @given(st.integers(0, 4000), st.binary(min_size=1, max_size=2))
    def test_an_entry_with_bytes_changed_gives_itself_or_our_error(self, at: int, other: bytes) -> None:
        whole = entry("a").encode()
        value = whole[:at] + other + whole[at + len(other) :]

        if answers(lambda: Entry.decode(value)):
            assert Entry.decode(value).encode() == value

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param(entry("a").encode() + b"\n", id="a newline behind"),
            pytest.param(entry("a").encode().replace(b'"id":"a"', b'"id":"b","id":"a"'), id="a key twice"),
            pytest.param(entry("a").encode().replace(b'"id"', b'"i\\u0064"'), id="an escape"),
            pytest.param(entry("a").encode().replace(b'"id":"a"', b'"duty":null,"id":"a"'), id="a null"),
        ],
    )
    def test_another_spelling_is_refused(self, value: bytes) -> None:
        assert code_of(lambda: Entry.decode(value)) in (Code.NOT_CANONICAL, Code.MALFORMED_JSON)

    @pytest.mark.parametrize(
        "moment", ["2026-02-30T00:00:00.000Z", "2026-01-01T24:00:00.000Z", "now", "٢٠٢٦-01-01T00:00:00.000Z"]
    )
    def test_a_key_is_not_valid_until_a_moment_that_never_comes(self, moment: str) -> None:
        value = entry("a").encode().replace(format_time(NOW + YEAR).encode(), moment.encode())

        assert code_of(lambda: Entry.decode(value)) is Code.MALFORMED_ENVELOPE

    def test_a_change_over_its_limit_is_refused_unread(self) -> None:
        assert code_of(lambda: Change.decode(b" " * (CHANGE_MAX + 1))) is Code.OVERSIZE

    def test_ids_are_kept_for_longer_than_they_can_come_back(self) -> None:
        with pytest.raises(ValidationError):
            Policy(**{**POLICY.model_dump(), "window_ms": 3 * HOUR, "keep_closed_ms": 8 * HOUR})


class TestTrustRoot:
    def test_it_is_read_as_it_was_written(self) -> None:
        assert TrustRoot.decode(root(2, *ROOTS).encode()) == root(2, *ROOTS)

    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"{}", id="empty"),
            pytest.param(root(0).encode(), id="nobody has to sign"),
            pytest.param(root(2).encode(), id="more have to sign than there are"),
            pytest.param(root(2, ROOTS[0], ROOTS[0]).encode(), id="a key twice"),
            pytest.param(root().encode().replace(ROOTS[0].kid.encode(), ROOTS[1].kid.encode()), id="another's name"),
            pytest.param(
                root().encode().replace(b64(ROOTS[0].public).encode(), b64(IDENTITY).encode()), id="a small-order key"
            ),
            pytest.param(root().encode().replace(b64(ROOTS[0].public).encode(), b"AAAA"), id="a short key"),
        ],
    )
    def test_a_file_that_pins_nothing_is_refused(self, broken: bytes) -> None:
        with pytest.raises(LocalError):
            TrustRoot.decode(broken)


class TestHeads:
    @pytest.mark.parametrize(
        ("signers", "code"),
        [
            ([], Code.NOT_ENOUGH_SIGNATURES),
            (ROOTS[:1], Code.NOT_ENOUGH_SIGNATURES),
            ([ROOTS[0], ROOTS[0]], Code.NOT_ENOUGH_SIGNATURES),
            ([ROOTS[0], SIGNING["a"]], Code.NOT_ENOUGH_SIGNATURES),
            (ROOTS[:2], None),
            (ROOTS[1:], None),
            (ROOTS, None),
        ],
    )
    def test_as_many_root_keys_sign_as_are_asked_for(self, signers: list[SigningKey], code: Code | None) -> None:
        head = signed(first().head, *signers)

        assert code_of(lambda: root(2, *ROOTS).check_head(head)) is code

    def test_a_bad_signature_of_a_root_key_is_no_signature(self) -> None:
        other = first().head.model_copy(update={"version": 2})
        head = SignedHead(head=first().head, signatures=signed(other, *ROOTS).signatures)

        assert code_of(lambda: root(2, *ROOTS).check_head(head)) is Code.BAD_SIGNATURE

    @pytest.mark.parametrize("text", ["", "x", "ü" * 300, ROOTS[0].sign(Typ.EVENT, b"head")])
    def test_what_is_no_signature_of_a_head_is_refused(self, text: str) -> None:
        head = SignedHead(head=first().head, signatures=(text,))

        assert code_of(lambda: root().check_head(head)) is Code.MALFORMED_SIGNATURE

    def test_a_head_of_another_bus_is_refused(self) -> None:
        head = signed(first().head.model_copy(update={"bus": "production"}), ROOTS[0])

        assert code_of(lambda: root().check_head(head)) is Code.WRONG_BUS


class TestAssembly:
    def heads(self, **over: Any) -> SignedHead:
        return signed(first().head.model_copy(update=over), ROOTS[0])

    def test_entries_under_their_head_are_the_directory(self) -> None:
        assert assemble(first().entries, self.heads(), root(), None) == first()

    @pytest.mark.parametrize("name", ["a", POLICY_KEY])
    def test_an_entry_that_vanished_leaves_no_directory(self, name: str) -> None:
        entries = {key: value for key, value in first().entries.items() if key != name}

        assert code_of(lambda: assemble(entries, self.heads(), root(), None)) is Code.DIRECTORY_ROOT

    def test_an_entry_more_or_another_leaves_no_directory(self) -> None:
        more = {**first().entries, "e": entry("e").encode()}
        other = {**first().entries, "b": entry("b", roles=["school"]).encode()}

        assert code_of(lambda: assemble(more, self.heads(), root(), None)) is Code.DIRECTORY_ROOT
        assert code_of(lambda: assemble(other, self.heads(), root(), None)) is Code.DIRECTORY_ROOT

    def test_nobody_goes_back_to_an_older_head(self) -> None:
        newer = after(first())

        assert code_of(lambda: assemble(first().entries, self.heads(), root(), newer)) is Code.DIRECTORY_STALE

    def test_two_heads_of_one_version_are_a_fork(self) -> None:
        other = self.heads(expires=format_time(NOW + 2 * YEAR))

        assert code_of(lambda: assemble(first().entries, other, root(), first())) is Code.DIRECTORY_FORKED

    def test_a_head_that_follows_another_is_a_fork(self) -> None:
        other = self.heads(version=2, previous=b64(bytes(32)))

        assert code_of(lambda: assemble(first().entries, other, root(), first())) is Code.DIRECTORY_FORKED

    def test_a_reader_that_was_away_may_miss_some(self) -> None:
        third = after(after(first()))

        assert assemble(third.entries, signed(third.head, ROOTS[0]), root(), first()) == third


class TestChanges:
    def test_the_next_version_names_the_one_before(self) -> None:
        second = after(first(), entry("e"))

        assert (second.version, second.head.previous) == (2, head_hash(first().head))
        assert set(second.entries) == {*first().entries, "e"}

    def test_an_expired_head_can_be_renewed(self) -> None:
        value, _ = registrar().change(first(), NOW + 10 * YEAR, HOUR)
        renewed = apply(first(), Change.decode(value), root(), owners(first()))

        assert first().expires_ms < NOW + 10 * YEAR < renewed.expires_ms
        assert renewed.entries == first().entries

    @pytest.mark.parametrize(
        ("over", "code"),
        [
            ({"version": 1}, Code.DIRECTORY_STALE),
            ({"version": 3}, Code.DIRECTORY_FORKED),
            ({"previous": b64(bytes(32))}, Code.DIRECTORY_FORKED),
            ({"previous": None}, Code.DIRECTORY_FORKED),
            ({"root": b64(bytes(32))}, Code.DIRECTORY_ROOT),
            ({"entries": 4}, Code.DIRECTORY_ROOT),
            ({"bus": "production"}, Code.WRONG_BUS),
        ],
    )
    def test_a_head_that_is_not_the_next_is_refused(self, over: dict[str, Any], code: Code) -> None:
        whole = change(first())
        head = signed(whole.data.head.head.model_copy(update=over), ROOTS[0])
        other = whole.model_copy(update={"data": whole.data.model_copy(update={"head": head})})

        assert code_of(lambda: apply(first(), other, root(), owners(first()))) is code

    def test_a_change_of_another_bus_is_refused(self) -> None:
        other = change(first()).model_copy(update={"bus": "production"})

        assert code_of(lambda: apply(first(), other, root(), {})) is Code.WRONG_BUS

    def test_too_few_signatures_change_nothing(self) -> None:
        both = root(2, *ROOTS)
        one, two = (change(None, entry("a"), policy=POLICY, by=registrar(*ROOTS[:number])) for number in (1, 2))

        assert code_of(lambda: apply(None, one, both, {})) is Code.NOT_ENOUGH_SIGNATURES
        assert apply(None, two, both, {}).version == 1

    def test_a_directory_has_a_policy(self) -> None:
        assert code_of(lambda: apply(None, change(None, entry("a")), root(), {})) is Code.ENTRY_VANISHED

    def test_there_is_one_of_each_service(self) -> None:
        one = entry("e", roles=["deadline-watcher"])
        second = after(first(), one)
        two = entry("f", roles=["deadline-watcher"])

        assert second.service("deadline-watcher") == "e"
        assert code_of(lambda: after(second, two)) is Code.NOT_PERMITTED
        assert after(second, entry("e"), two).service("deadline-watcher") == "f"
        assert second.service("router") is None


class TestKeys:
    def test_an_entry_may_be_replaced_and_keeps_its_keys(self) -> None:
        renewed = entry("b", signing_record("b"), sealing_record("b"), sealing_record("b", "e"), roles=["police", "x"])

        assert after(first(), renewed).member("b") is not None

    def test_a_key_does_not_vanish(self) -> None:
        assert code_after(entry("b", signing_record("b"))) is Code.ENTRY_VANISHED

    def test_an_entry_twice_in_a_change_does_not_hide_a_loss(self) -> None:
        both = entry("e", signing_record("e"), sealing_record("e")), entry("e", signing_record("e"))

        assert code_after(*both) is Code.ENTRY_VANISHED

    def test_a_sealing_key_does_not_move_to_another_desk(self) -> None:
        moved = entry("b", signing_record("b"), sealing_record("b", desk="youth"), desks=("youth",))

        assert code_after(moved) is Code.ENTRY_VANISHED

    @pytest.mark.parametrize(
        ("again", "code"), [(None, Code.ENTRY_VANISHED), (2, Code.ENTRY_VANISHED), (1, None), (0, None)]
    )
    def test_a_revocation_is_not_taken_back(self, again: int | None, code: Code | None) -> None:
        def revoked(hours: int | None) -> Entry:
            at = None if hours is None else format_time(NOW + hours * HOUR)
            return entry("b", signing_record("b", revoked_at=at), sealing_record("b"))

        before = after(first(), revoked(1))

        assert code_of(lambda: after(before, revoked(again))) is code

    def test_a_key_of_another_entry_is_refused(self) -> None:
        taken = event_key_record(BUS, "e", SIGNING["b"], TERM)

        assert code_after(entry("e", taken)) is Code.REPEATED_KEY

    def test_a_key_of_two_entries_of_one_change_is_refused(self) -> None:
        one, other = (entry(name, event_key_record(BUS, name, SIGNING["e"], TERM)) for name in ("e", "f"))

        assert code_after(one, other) is Code.REPEATED_KEY

    def test_a_key_twice_in_an_entry_is_refused(self) -> None:
        assert code_after(entry("e", signing_record("e"), signing_record("e"))) is Code.REPEATED_KEY

    @pytest.mark.parametrize(
        ("public", "code"),
        [
            pytest.param(IDENTITY, Code.WEAK_KEY, id="the identity"),
            pytest.param(bytes(32), Code.WEAK_KEY, id="a point of order 4"),
            pytest.param((2**255 - 20).to_bytes(32, "little"), Code.WEAK_KEY, id="a point of order 2"),
            pytest.param(b"\xff" * 32, Code.MALFORMED_KEY, id="not canonical"),
            pytest.param(bytes(31), Code.MALFORMED_KEY, id="too short"),
        ],
    )
    def test_a_signing_key_that_anybody_can_sign_for_is_refused(self, public: bytes, code: Code) -> None:
        assert code_after(entry("e", signing_record("e", public=b64(public)))) is code

    def test_a_sealing_key_that_takes_no_seal_is_refused(self) -> None:
        low = b64(SEALING["e"].public[:1184] + bytes(32))
        keys = signing_record("e"), sealing_record("e").model_copy(update={"public": low})

        assert code_after(entry("e", *keys)) is Code.WEAK_KEY

    @pytest.mark.parametrize("public", ["", "===", "A" * 1999, "ü"])
    def test_a_key_that_is_none_is_refused(self, public: str) -> None:
        assert code_after(entry("e", signing_record("e", public=public))) in (Code.MALFORMED_KEY, Code.MALFORMED_VALUE)

    def test_a_key_under_the_name_of_another_is_refused(self) -> None:
        record = signing_record("e", public=b64(SIGNING["f"].public))

        assert code_after(entry("e", record)) is Code.MALFORMED_KEY

    @pytest.mark.parametrize(
        ("proof", "code"),
        [
            pytest.param("", Code.MALFORMED_SIGNATURE, id="none"),
            pytest.param(signing_record("f").proof, Code.MISSING_PROOF, id="of another key"),
            pytest.param(
                event_key_record(BUS, "f", SIGNING["e"], TERM).proof, Code.BAD_SIGNATURE, id="for another agency"
            ),
            pytest.param(
                event_key_record("production", "e", SIGNING["e"], TERM).proof, Code.BAD_SIGNATURE, id="for another bus"
            ),
            pytest.param(
                SIGNING["e"].sign(Typ.EVENT, possession(BUS, "e", signing_record("e"))),
                Code.MALFORMED_SIGNATURE,
                id="signed as something else",
            ),
        ],
    )
    def test_a_signing_key_proves_itself(self, proof: str, code: Code) -> None:
        assert code_after(entry("e", signing_record("e", proof=proof))) is code

    def test_a_sealing_key_is_vouched_for_by_its_own_agency(self) -> None:
        strangers = sealing_key_record(BUS, "e", SEALING["e"], TERM, signer=SIGNING["f"])
        elsewhere = sealing_key_record(BUS, "e", SEALING["e"], TERM, signer=SIGNING["e"], desk="youth")

        assert code_after(entry("e", signing_record("e"), strangers)) is Code.MISSING_PROOF
        moved = elsewhere.model_copy(update={"desk": None})
        assert code_after(entry("e", signing_record("e"), moved)) is Code.BAD_SIGNATURE


class TestUse:
    def test_an_event_key_is_found_with_its_agency_only(self) -> None:
        assert first().event_key("a", SIGNING["a"].kid) is not None
        assert first().event_key("b", SIGNING["a"].kid) is None
        assert first().event_key("nobody", SIGNING["a"].kid) is None
        assert first().event_key("a", SEALING["a"].kid) is None
        assert first().member(POLICY_KEY) is None

    @pytest.mark.parametrize(
        ("at_ms", "valid"),
        [(NOW - 1, False), (NOW, True), (NOW + HOUR - 1, True), (NOW + HOUR, False), (NOW + YEAR, False)],
    )
    def test_a_key_is_valid_from_its_first_moment_until_it_is_revoked(self, at_ms: int, valid: bool) -> None:
        revoked = entry("b", signing_record("b", revoked_at=format_time(NOW + HOUR)), sealing_record("b"))
        key = after(first(), revoked).event_key("b", SIGNING["b"].kid)

        assert key is not None
        assert key.valid(at_ms) is valid

    def test_the_newest_valid_sealing_key_is_sealed_to(self) -> None:
        early, late = Term(from_ms=NOW, until_ms=NOW + 2 * HOUR), Term(from_ms=NOW + HOUR, until_ms=NOW + YEAR)
        keys = signing_record("e"), sealing_record("e", "e", term=early), sealing_record("e", "f", term=late)
        directory = after(first(), entry("e", *keys))

        assert directory.reader("e", NOW).kid == SEALING["e"].kid
        assert directory.reader("e", NOW + HOUR).kid == SEALING["f"].kid
        # What was sealed to the other one a moment ago is still good.
        assert directory.may_seal_to("e", SEALING["e"].kid, NOW + HOUR)
        assert not directory.may_seal_to("e", SEALING["e"].kid, NOW + 2 * HOUR)

    def test_a_desk_has_its_own_keys(self) -> None:
        keys = signing_record("e"), sealing_record("e"), sealing_record("e", "f", desk="youth")
        directory = after(first(), entry("e", *keys, desks=("youth", "night")))

        assert directory.reader("e/youth", NOW).kid == SEALING["f"].kid
        assert not directory.may_seal_to("e", SEALING["f"].kid, NOW)

    @pytest.mark.parametrize("address", ["nobody", "e/youth", "e/night", POLICY_KEY])
    def test_nobody_is_sealed_to_without_a_valid_key(self, address: str) -> None:
        directory = after(first(), entry("e", desks=("night",)))

        with pytest.raises(LocalError):
            directory.reader(address, NOW)
        assert not directory.may_seal_to(address, SEALING["e"].kid, NOW)

    @pytest.mark.parametrize(
        ("sender", "verb", "recipient", "allowed"),
        [
            ("a", Verb.OFFERED, "b", True),
            ("a", Verb.CASE_NOTED, "b", True),
            ("a", Verb.CASE_CLOSED, "b", False),
            ("b", Verb.NOTIFIED, "a", True),
            ("b", Verb.NOTIFIED, "c", False),
            ("b", Verb.OFFERED, "a", False),
        ],
    )
    def test_policy_says_who_may_send_what_to_whom(
        self, sender: str, verb: Verb, recipient: str, allowed: bool
    ) -> None:
        one, other = first().member(sender), first().member(recipient)

        assert one is not None
        assert other is not None
        assert first().may_send(one, verb, other) is allowed
        # And says the same when it is asked again.
        assert first().may_send(one, verb, other) is allowed

    def test_policy_says_who_may_open_a_case(self) -> None:
        members = {name: first().member(name) for name in "abcd"}

        assert [name for name, member in members.items() if member and first().may_open(member)] == ["a"]

    @pytest.mark.parametrize(
        ("agencies", "answers_go"), [("bc", "team"), ("bd", "opener"), ("cd", None), ("bcd", None), ("ab", None)]
    )
    def test_policy_says_who_may_know_of_whom(self, agencies: str, answers_go: str | None) -> None:
        members = [member for name in agencies if (member := first().member(name))]
        rule = first().team_rule(members)

        assert (rule and rule.answers) == answers_go

    def test_a_version_of_the_wire_is_accepted_in_its_time(self) -> None:
        versions = (
            WireVersion(valid_from=format_time(NOW), valid_until=format_time(NOW + HOUR), version="v1"),
            WireVersion(valid_from=format_time(NOW + HOUR), version="v2"),
        )
        directory = replace(first(), head=first().head.model_copy(update={"wire": versions}))
        accepted: Callable[[str, int], bool] = directory.wire_accepted

        assert [accepted("v1", NOW + at) for at in (-1, 0, HOUR)] == [False, True, False]
        assert [accepted("v2", NOW + at) for at in (-1, 0, HOUR)] == [False, False, True]
        assert not accepted("v3", NOW)
