from referral_contracts.clocks import TRIGGERS
from referral_contracts.rules.happenings import happening_name, known
from referral_contracts.rules.roles import ROLES
from referral_contracts.verbs import Verb


def test_each_trigger_has_a_name_in_two_languages() -> None:
    assert [trigger for trigger in sorted(TRIGGERS) if trigger in happening_name(trigger)] == []


def test_a_verb_is_a_happening_and_is_called_by_its_name() -> None:
    assert all(known(verb.value) for verb in Verb)
    assert happening_name("handoff.offered") == ("handoff.offered", "handoff.offered")
    assert not known("moon-risen")


def test_each_role_has_a_name_in_two_languages() -> None:
    assert all(vi and en for vi, en in ROLES.values())
