import pytest

from referral_bus.registrar import event_key_record, sealing_key_record
from referral_contracts.codes import Code
from referral_contracts.directory_admission import possession
from referral_contracts.directory_model import (
    Entry,
)
from referral_contracts.encoding import b64, format_time
from referral_contracts.signing import Typ
from tests.contracts.directories import (
    BUS,
    HOUR,
    IDENTITY,
    NOW,
    SEALING,
    SIGNING,
    TERM,
    after,
    code_after,
    entry,
    first,
    sealing_record,
    signing_record,
)
from tests.contracts.refusals import code_of


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

    @pytest.mark.parametrize(
        ("over", "code"),
        [
            ({"valid_from": format_time(NOW - HOUR)}, Code.ENTRY_VANISHED),
            ({"valid_from": format_time(NOW + HOUR)}, Code.ENTRY_VANISHED),
            ({"valid_until": format_time(NOW + HOUR)}, Code.ENTRY_VANISHED),
            ({"valid_until": format_time(TERM.until_ms + HOUR)}, None),
            ({"revoked_at": format_time(NOW + HOUR)}, None),
        ],
    )
    def test_a_term_is_not_moved_under_what_was_signed_in_it(self, over: dict[str, str], code: Code | None) -> None:
        assert code_after(entry("b", signing_record("b", **over), sealing_record("b"))) is code

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
