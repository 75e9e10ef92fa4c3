from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint, cosign
from referral_contracts.log.note import Kind, NoteKey, sign, write_note
from referral_contracts.log.policy import Policy

LOG = SigningKey.from_seed(bytes(range(32)))
LOG_KEY = NoteKey("bus.log", Kind.ED25519, LOG.verify_key)
WITNESSES = {name: SigningKey.from_seed(name.encode() * 16) for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")}
KEYS = {name: NoteKey(f"{name}.example", Kind.COSIGNATURE, key.verify_key) for name, key in WITNESSES.items()}
V = {name: key.vkey for name, key in KEYS.items()}
LOG_LINE = f"log {LOG_KEY.vkey}\n"
# The example of c2sp.org/tlog-policy.
EXAMPLE = f"""# whom we trust
log {LOG_KEY.vkey}  https://bus.example/log

witness X1 {V["X1"]} https://x1.example
witness X2 {V["X2"]}
\twitness X3\t{V["X3"]} \t
group X-witnesses 2 X1 X2 X3

witness Y1 {V["Y1"]}
witness Y2 {V["Y2"]}
witness Y3 {V["Y3"]}
group Y-witnesses any Y1 Y2 Y3
  # both
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
TEXT = Checkpoint("bus.log", 7, bytes(32)).text()


def noted(*witnesses: str) -> bytes:
    cosigned = [cosign(TEXT, 1, f"{name}.example", WITNESSES[name]) for name in witnesses]
    return write_note(TEXT, [sign(TEXT, "bus.log", LOG), *cosigned])


@pytest.mark.parametrize(
    ("witnesses", "quorum"),
    [
        ((), False),
        (("X1", "X2"), False),
        (("X1", "Y1"), False),
        (("Y1", "Y2", "Y3"), False),
        (("X1", "X2", "X3"), False),
        (("X1", "X3", "Y2"), True),
        (("X1", "X2", "X3", "Y1", "Y2", "Y3"), True),
    ],
)
def test_the_specifications_example_asks_for_its_quorum(witnesses: Sequence[str], quorum: bool) -> None:
    policy = Policy.parse(EXAMPLE.encode())

    checked = policy.check(noted(*witnesses))

    assert (checked.checkpoint.size, checked.log) == (7, LOG_KEY)
    assert (checked.witnesses, checked.quorum) == (tuple(witnesses), quorum)


def test_a_policy_is_written_and_read_again() -> None:
    policy = Policy.parse(EXAMPLE.encode())

    assert Policy.parse(policy.format()) == policy
    assert policy.logs[0].url == "https://bus.example/log"
    assert [witness.url for witness in policy.witnesses[:2]] == ["https://x1.example", None]
    assert [group.least for group in policy.groups] == [2, 1, 2]


def test_a_log_may_need_nobody() -> None:
    policy = Policy.parse(f"{LOG_LINE}quorum none".encode())

    assert policy.check(noted()).quorum
    assert policy.witnesses == ()


def test_a_witness_alone_can_be_the_quorum() -> None:
    policy = Policy.parse(f"{LOG_LINE}witness w {V['X1']}\nquorum w\n".encode())

    assert [policy.check(noted(*told)).quorum for told in ((), ("X2",), ("X1",))] == [False, False, True]


def test_names_are_octets() -> None:
    policy = Policy.parse(b"%bwitness \xff\xe9 %b\nquorum \xff\xe9\n" % (LOG_LINE.encode(), V["X1"].encode()))

    assert policy.check(noted("X1")).quorum
    assert Policy.parse(policy.format()) == policy


def test_a_checkpoint_of_no_known_log_is_refused() -> None:
    other = Policy.parse(
        f"log {NoteKey('bus.log', Kind.ED25519, WITNESSES['X1'].verify_key).vkey}\nquorum none".encode()
    )
    witnessed = write_note(TEXT, [cosign(TEXT, 1, "X1.example", WITNESSES["X1"])])

    for policy, note in ((other, noted("X1")), (Policy.parse(EXAMPLE.encode()), witnessed)):
        with pytest.raises(RemoteError) as refused:
            policy.check(note)
        assert refused.value.code is Code.BAD_SIGNATURE


def test_a_cosignature_of_something_else_spoils_the_checkpoint() -> None:
    bad = cosign(TEXT.replace("7", "8"), 1, "X1.example", WITNESSES["X1"])

    with pytest.raises(RemoteError) as refused:
        Policy.parse(EXAMPLE.encode()).check(write_note(TEXT, [sign(TEXT, "bus.log", LOG), bad]))

    assert refused.value.code is Code.BAD_SIGNATURE


W1, W2 = f"witness w1 {V['X1']}\n", f"witness w2 {V['X2']}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum none\n",
        LOG_LINE,
        f"{LOG_LINE}quorum none\nquorum none\n",
        f"{LOG_LINE}{LOG_LINE}quorum none\n",
        f"{LOG_LINE}log {V['X1']}\nquorum none\n",
        f"{LOG_LINE}witness w {LOG_KEY.vkey}\nquorum none\n",
        f"{LOG_LINE}{W1}witness w2 {V['X1']}\nquorum none\n",
        f"{LOG_LINE}{W1}witness w1 {V['X2']}\nquorum none\n",
        f"{LOG_LINE}witness none {V['X1']}\nquorum none\n",
        f"{LOG_LINE}witness w1\nquorum none\n",
        f"{LOG_LINE}witness w1 {V['X1']} url more\nquorum none\n",
        f"{LOG_LINE}log\nquorum none\n",
        f"{LOG_LINE}{W1}quorum w2\n",
        f"{LOG_LINE}quorum w1\n{W1}",
        f"{LOG_LINE}{W1}quorum w1 w1\n",
        f"{LOG_LINE}{W1}group g all\nquorum none\n",
        f"{LOG_LINE}{W1}group g 0 w1\nquorum none\n",
        f"{LOG_LINE}{W1}group g 2 w1\nquorum none\n",
        f"{LOG_LINE}{W1}group g 01 w1\nquorum none\n",
        f"{LOG_LINE}{W1}group g some w1\nquorum none\n",
        f"{LOG_LINE}{W1}group g all w1 w1\nquorum none\n",
        f"{LOG_LINE}{W1}group g all w1\ngroup h all w1\nquorum none\n",
        f"{LOG_LINE}{W1}group g all w2\n{W2}quorum none\n",
        f"{LOG_LINE}{W1}group g all g\nquorum none\n",
        f"{LOG_LINE}{W1}group g all none\nquorum none\n",
        f"{LOG_LINE}{W1}group w1 all w1\nquorum none\n",
        f"{LOG_LINE}quorum none\r\n",
        f"{LOG_LINE}quorum none\x7f\n",
        f"{LOG_LINE}believe me\nquorum none\n",
        f"{LOG_LINE}quorum none\n" + "\n" * 1024,
    ],
)
def test_a_policy_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(LocalError) as refused:
        Policy.parse(text.encode())

    assert refused.value.code is Code.BAD_LOG_POLICY


def test_what_is_wrong_is_said_by_line() -> None:
    with pytest.raises(LocalError) as refused:
        Policy.parse(f"{LOG_LINE}\n# so\nwitness w1 {V['X1'][:-1]}\nquorum w1\n".encode())

    assert refused.value.detail.startswith("line 4: malformed-key")


@given(st.binary(max_size=200))
def test_anything_is_a_policy_or_our_error(told: bytes) -> None:
    for value in (told, LOG_LINE.encode() + told + b"\nquorum none\n"):
        try:
            policy = Policy.parse(value)
        except LocalError as error:
            assert error.code is Code.BAD_LOG_POLICY
        else:
            assert Policy.parse(policy.format()) == policy
