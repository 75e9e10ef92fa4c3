"""Who speaks for an agency that has ended, and where what is meant for it goes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from referral_contracts.directory import Directory
from referral_contracts.directory_model import Delivery, Duty
from referral_contracts.encoding import format_time
from referral_contracts.succession import has_ended, reached, speaker, superiors, takers
from tests.contracts.directories import HOUR, NOW, after, entry, first, sealing_record, signing_record

END = NOW + HOUR


def ending(*pairs: tuple[str, tuple[str, ...]], at_ms: int = END) -> Directory:
    """Return a directory in which these agencies end, each with its successors."""
    return after(first(), *(entry(name, ends_at=format_time(at_ms), successors=to) for name, to in pairs))


class TestSpeaker:
    def test_an_agency_speaks_for_itself_until_the_moment_it_ends(self) -> None:
        directory = ending(("b", ("c", "d")))

        assert speaker(directory, "b", END - 1) == "b"
        assert speaker(directory, "b", END) == "c"
        assert speaker(directory, "c", END) == "c"
        assert (has_ended(directory, "b", END - 1), has_ended(directory, "b", END)) == (False, True)

    def test_successors_have_successors(self) -> None:
        directory = ending(("b", ("c",)), ("c", ("d",)))

        assert speaker(directory, "b", END) == "d"
        assert takers(directory, "b") == {"c", "d"}

    def test_two_that_merge_have_one_speaker(self) -> None:
        directory = ending(("b", ("d",)), ("c", ("d",)))

        assert {speaker(directory, name, END) for name in "bcd"} == {"d"}

    def test_nobody_speaks_where_nobody_was_named(self) -> None:
        assert speaker(ending(("b", ())), "b", END) is None
        assert takers(ending(("b", ())), "b") == frozenset()

    def test_those_who_name_each_other_end_the_search(self) -> None:
        directory = ending(("b", ("c",)), ("c", ("b",)))

        assert speaker(directory, "b", END) is None
        assert takers(directory, "b") == {"c"}

    @given(
        st.dictionaries(st.sampled_from("abcd"), st.lists(st.sampled_from("abcd"), unique=True, max_size=3)),
        st.integers(NOW, NOW + 2 * HOUR),
    )
    def test_a_speaker_has_not_ended_and_may_be_moved_to(self, to: dict[str, list[str]], at_ms: int) -> None:
        directory = ending(*((name, tuple(one for one in named if one != name)) for name, named in to.items()))

        for name in "abcd":
            found = speaker(directory, name, at_ms)
            assert found is None or not has_ended(directory, found, at_ms)
            assert found is None or found == name or found in takers(directory, name)


class TestReached:
    def test_a_desk_is_answered_for_by_the_desk_of_the_same_name(self) -> None:
        keys = signing_record("d"), sealing_record("d"), sealing_record("d", "e", desk="youth")
        old = entry("b", ends_at=format_time(END), successors=("d",), desks=("youth", "night"))
        directory = after(first(), old, entry("d", *keys, desks=("youth",)))

        assert reached(directory, "b/youth", END - 1) == "b/youth"
        assert reached(directory, "b/youth", END) == "d/youth"
        assert reached(directory, "b/night", END) == "d"
        assert reached(directory, "b", END) == "d"

    def test_nobody_is_reached_who_is_not_on_the_bus(self) -> None:
        gone = after(ending(("b", ("c",))), entry("c", delivery=Delivery(kind="off-bus")))

        assert reached(gone, "b", END) is None
        assert reached(gone, "c", END) is None
        assert reached(gone, "nobody", END) is None


class TestSuperiors:
    def test_they_are_named_one_above_the_other(self) -> None:
        directory = after(first(), entry("b", parent="c"), entry("c", parent="d"))

        assert superiors(directory, "b", NOW) == ("c", "d")
        assert superiors(directory, "c", NOW) == ("d",)
        assert superiors(directory, "d", NOW) == superiors(directory, "nobody", NOW) == ()

    def test_who_has_ended_is_followed_in_the_line(self) -> None:
        ended = entry("c", parent="b", ends_at=format_time(END), successors=("d",))
        directory = after(first(), entry("b", parent="c"), ended)

        assert superiors(directory, "b", END - 1) == ("c",)
        assert superiors(directory, "b", END) == ("d",)

    def test_a_ring_and_nobody_end_the_line(self) -> None:
        ring = after(first(), entry("b", parent="c"), entry("c", parent="b"))

        assert superiors(ring, "b", NOW) == ("c",)
        assert superiors(after(first(), entry("b", parent="b")), "b", NOW) == ()
        gone = after(first(), entry("b", parent="c"), entry("c", parent="d", ends_at=format_time(END)))
        assert superiors(gone, "b", END) == ()


class TestEntries:
    @pytest.mark.parametrize(
        "over",
        [
            pytest.param({"successors": ("c",)}, id="without a moment"),
            pytest.param({"successors": ("b",), "ends_at": format_time(END)}, id="itself"),
            pytest.param({"successors": ("c", "c"), "ends_at": format_time(END)}, id="twice"),
        ],
    )
    def test_what_makes_no_sense_is_no_entry(self, over: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            entry("b", **over)

    @pytest.mark.parametrize("told", [{"kind": "via"}, {"kind": "bus", "agency": "c"}])
    def test_via_and_only_via_names_through_whom(self, told: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            Delivery(**told)

    @pytest.mark.parametrize(
        "hours", ["24/7", "Mo-Fr 07:30-17:00", "Mo-Fr 07:30-11:30,13:00-17:00; Sa 08:00-12:00", "Sa,Su 00:00-24:00"]
    )
    def test_hours_are_what_other_tools_read(self, hours: str) -> None:
        assert Duty(hours=hours).hours == hours

    @pytest.mark.parametrize("hours", ["", "24/24", "always", "Mo 7:30-17:00", "Mo-Fr", "Mo 08:00-25:00", "24/7\n"])
    def test_hours_that_nothing_reads_are_refused(self, hours: str) -> None:
        with pytest.raises(ValidationError):
            Duty(hours=hours)

    @pytest.mark.parametrize("phone", ["111", "0900 000 011", "+84 206.385-2011", "18001567"])
    def test_a_phone_can_be_dialled(self, phone: str) -> None:
        assert Duty(phone=phone).phone == phone

    @pytest.mark.parametrize("phone", ["", "1", "ask Lan", "0206  385", "+", "111 ", "0" * 40, "١١١"])
    def test_what_cannot_be_dialled_is_no_phone(self, phone: str) -> None:
        with pytest.raises(ValidationError):
            Duty(phone=phone)
