from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_bus.registrar import Term, cosign, event_key_record, with_outage
from referral_contracts.codes import Code
from referral_contracts.directory import (
    POLICY_KEY,
    apply,
    assemble,
    head_hash,
)
from referral_contracts.directory_model import (
    ROLE_LOG,
    Change,
    Delivery,
    Outage,
    SignedHead,
    Use,
    WireVersion,
)
from referral_contracts.encoding import b64, format_time
from referral_contracts.errors import LocalError
from referral_contracts.keys import SigningKey
from referral_contracts.signing import Typ
from referral_contracts.verbs import Verb
from tests.contracts.directories import (
    BUS,
    HOUR,
    NOW,
    POLICY,
    ROOTS,
    SEALING,
    SIGNING,
    TERM,
    YEAR,
    after,
    change,
    entry,
    first,
    owners,
    registrar,
    root,
    sealing_record,
    signed,
    signing_record,
)
from tests.contracts.refusals import code_of


def outage(hours: int) -> Outage:
    begins = NOW + hours * HOUR
    return Outage(reason="mất điện", since=format_time(begins), until=format_time(begins + HOUR - 1))


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

    @given(
        st.integers(1, len(ROOTS)),
        st.lists(st.sampled_from([*ROOTS, SigningKey.generate()]), min_size=1, max_size=2 * len(ROOTS)),
    )
    def test_registrars_sign_one_after_the_other_in_any_order(self, threshold: int, hands: list[SigningKey]) -> None:
        proposed = registrar(hands[0]).propose(first(), NOW, HOUR)
        made = proposed
        for hand in hands:
            made = cosign(made, [hand])
        pinned = root(threshold, *ROOTS)
        good = {key.kid for key in hands} & set(pinned.by_kid)

        assert pinned.signers(made.data.head) == good
        assert len(made.data.head.signatures) == len({key.kid for key in hands})
        assert made.data.head.head == proposed.data.head.head
        assert cosign(made, ()) == made
        if len(good) >= threshold:
            pinned.check_head(made.data.head)
        else:
            assert code_of(lambda: pinned.check_head(made.data.head)) is Code.NOT_ENOUGH_SIGNATURES
        if good:
            pinned.by_one_hand().check_head(made.data.head)


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

    def test_a_change_that_comes_again_is_told_so_and_an_older_one_is_stale(self) -> None:
        second = change(first())
        taken = apply(first(), second, root(), owners(first()))

        assert code_of(lambda: apply(taken, second, root(), owners(taken))) is Code.DUPLICATE
        assert code_of(lambda: apply(after(taken), second, root(), owners(taken))) is Code.DIRECTORY_STALE

    def test_an_entry_names_agencies_that_are_there(self) -> None:
        ending = {"ends_at": format_time(NOW), "successors": ("e",)}

        assert code_of(lambda: after(first(), entry("b", **ending))) is Code.UNKNOWN_RECIPIENT
        assert after(first(), entry("b", **ending), entry("e")).ending == {"b"}
        through = Delivery(kind="via", agency="e")
        assert code_of(lambda: after(first(), entry("b", delivery=through))) is Code.UNKNOWN_RECIPIENT

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

    def test_an_outage_that_was_told_stays_told(self) -> None:
        one, two = outage(1), outage(2)
        told = POLICY.model_copy(update={"outages": (two,)})
        second = after(first(), policy=told)

        assert second.policy.outages == (two,)
        assert (two.since_ms, two.until_ms) == (NOW + 2 * HOUR, NOW + 3 * HOUR - 1)
        for less in (POLICY, with_outage(POLICY, one)):
            assert code_of(lambda: after(second, policy=less)) is Code.ENTRY_VANISHED  # noqa: B023
        both = with_outage(told, one)
        assert after(second, policy=both).policy.outages == (one, two)
        assert after(second, entry("e")).policy.outages == (two,)

    def test_there_is_one_of_each_service(self) -> None:
        one = entry("e", roles=["deadline-watcher"])
        second = after(first(), one)
        two = entry("f", roles=["deadline-watcher"])

        assert second.service("deadline-watcher") == "e"
        assert code_of(lambda: after(second, two)) is Code.NOT_PERMITTED
        assert after(second, entry("e"), two).service("deadline-watcher") == "f"
        assert second.service("router") is None


class TestUse:
    def test_an_event_key_is_found_with_its_agency_only(self) -> None:
        assert first().event_key("a", SIGNING["a"].kid) is not None
        assert first().event_key("b", SIGNING["a"].kid) is None
        assert first().event_key("nobody", SIGNING["a"].kid) is None
        assert first().event_key("a", SEALING["a"].kid) is None
        assert first().member(POLICY_KEY) is None

    def test_a_key_is_found_by_its_use_alone(self) -> None:
        keys = [
            event_key_record(BUS, "e", SIGNING[name], TERM, use=use) for name, use in (("e", Use.HTTP), ("f", Use.LOG))
        ]
        member = after(first(), entry("e", *keys, roles=[ROLE_LOG])).member("e")

        assert member is not None
        assert [*member.http_keys, *member.log_keys] == [SIGNING["e"].kid, SIGNING["f"].kid]
        assert member.event_keys == {}

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
