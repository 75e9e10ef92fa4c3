from hypothesis import given
from hypothesis import strategies as st

from audit_log.core.gathering import Gathering
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint, cosign, sign_checkpoint
from referral_contracts.log.note import Kind, NoteKey, NoteSignature
from referral_contracts.log.policy import Policy

ROUND_S = 1.0
LOG = SigningKey.from_seed(bytes([1] * 32))
KEYS = {name: SigningKey.from_seed(name.encode() * 16) for name in ("w1", "w2", "w3")}
POLICY = Policy.parse(
    "".join(
        [
            f"log {NoteKey('bus.log', Kind.ED25519, LOG.verify_key).vkey}\n",
            *(f"witness {name} {NoteKey(name, Kind.COSIGNATURE, key.verify_key).vkey}\n" for name, key in KEYS.items()),
            "group two 2 w1 w2 w3\nquorum two\n",
        ]
    ).encode()
)
ALL = ["w1", "w2", "w3"]


def checkpoint(size: int) -> Checkpoint:
    return Checkpoint("bus.log", size, bytes([size % 256]) * 32)


def note(size: int) -> bytes:
    return sign_checkpoint(checkpoint(size), LOG)


def signature(name: str, size: int) -> NoteSignature:
    return cosign(checkpoint(size).text(), 7, name, KEYS[name])


class Rounds:
    """A gathering, and who is to be asked in it."""

    def __init__(self, witnessed: int = 0) -> None:
        self.gathering = Gathering(POLICY, ROUND_S, witnessed)

    def due(self, size: int, free: list[str], now_s: float = 0.0) -> tuple[int, list[str]]:
        target, told, names = self.gathering.due(checkpoint(size), note(size), free, now_s)
        assert told == note(target.size)
        return target.size, names

    def told(self, name: str, size: int) -> bytes | None:
        return self.gathering.cosigned(name, size, signature(name, size))


def test_all_are_asked_for_one_checkpoint_until_enough_have_answered() -> None:
    rounds = Rounds()

    assert rounds.due(5, ALL) == (5, ALL)
    assert rounds.due(6, []) == (5, [])
    assert rounds.told("w3", 5) is None
    assert rounds.due(7, ["w3"]) == (5, [])
    witnessed = rounds.told("w1", 5)
    assert witnessed is not None
    assert witnessed == note(5) + f"{signature('w1', 5).line}\n{signature('w3', 5).line}\n".encode()
    assert POLICY.check(witnessed).quorum
    assert rounds.due(8, ["w1", "w3"]) == (8, ["w1", "w3"])


def test_one_that_answers_after_enough_have_still_counts() -> None:
    rounds = Rounds()
    rounds.due(5, ALL)
    rounds.told("w1", 5)
    rounds.told("w2", 5)

    more = rounds.told("w3", 5)

    assert more is not None
    assert POLICY.check(more).witnesses == ("w1", "w2", "w3")


def test_one_that_becomes_free_is_asked_in_the_round_that_goes_on() -> None:
    rounds = Rounds()

    assert rounds.due(5, ["w1"]) == (5, ["w1"])
    assert rounds.due(6, ["w2"]) == (5, ["w2"])
    assert rounds.told("w2", 5) is None
    assert rounds.told("w1", 5) is not None


def test_a_round_ends_when_nobody_is_left_to_answer() -> None:
    rounds = Rounds()
    rounds.due(5, ["w1", "w2"])
    rounds.gathering.failed("w1")
    assert rounds.due(6, [])[0] == 5
    rounds.gathering.failed("w2")

    assert rounds.due(6, ["w3"]) == (6, ["w3"])


def test_one_that_failed_is_asked_again_for_the_same_checkpoint_while_the_log_stands_still() -> None:
    rounds = Rounds()
    rounds.due(5, ALL)
    rounds.told("w1", 5)
    rounds.gathering.failed("w2")
    rounds.gathering.failed("w3")

    assert rounds.due(5, ["w1"]) == (5, [])
    assert rounds.due(5, ["w1", "w2"]) == (5, ["w2"])
    assert rounds.told("w2", 5) is not None


def test_one_that_is_slow_holds_up_a_round_for_its_time_and_then_counts_all_the_same() -> None:
    rounds = Rounds()
    rounds.due(5, ["w1", "w2"], now_s=10.0)
    rounds.told("w1", 5)

    assert rounds.due(6, ["w1"], now_s=10.9)[0] == 5
    assert rounds.due(6, ["w1"], now_s=11.0) == (6, ["w1"])
    late = rounds.told("w2", 5)
    assert late is not None
    assert POLICY.check(late).checkpoint.size == 5
    assert rounds.told("w1", 6) is None
    assert rounds.told("w2", 6) is not None


def test_what_is_witnessed_never_goes_back() -> None:
    rounds = Rounds()
    rounds.due(5, ["w1", "w2"], now_s=0.0)
    rounds.due(6, ["w3"], now_s=2.0)
    rounds.told("w3", 6)
    assert rounds.due(6, ["w1"], now_s=2.0) == (6, ["w1"])
    rounds.told("w1", 6)

    assert rounds.told("w2", 5) is None
    assert rounds.told("w1", 5) is None
    assert rounds.gathering.witnessed == 6


def test_nothing_smaller_than_before_a_start_is_witnessed() -> None:
    rounds = Rounds(witnessed=9)
    rounds.due(8, ALL)

    assert [rounds.told(name, 8) for name in ALL] == [None, None, None]


STEPS = st.lists(
    st.tuples(st.sampled_from(["due", "told", "failed"]), st.sampled_from(ALL), st.integers(1, 40)), max_size=60
)


@given(STEPS)
def test_whoever_answers_when_what_is_witnessed_has_a_quorum_and_grows(steps: list[tuple[str, str, int]]) -> None:
    rounds, asked, newest, largest = Rounds(), dict[str, int](), 0, 0
    for number, (what, name, more) in enumerate(steps):
        if what == "due":
            newest += more
            size, names = rounds.due(newest, [one for one in ALL if one not in asked], number / 3)
            asked |= dict.fromkeys(names, size)
        elif name in asked:
            size = asked.pop(name)
            if what == "failed":
                rounds.gathering.failed(name)
            elif (found := rounds.told(name, size)) is not None:
                checked = POLICY.check(found)
                assert checked.quorum
                assert checked.checkpoint.size >= largest
                largest = checked.checkpoint.size
    assert rounds.gathering.witnessed == largest
