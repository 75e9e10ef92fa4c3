"""What a broker has other than it should, worked out without one."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from access import Operation, Pattern, Permission, Resource, Rule, read_access
from difference import Difference, Found, FoundTopic, Wanted, difference
from referral_contracts.topics import TopicSpec, topic_specs

NAMES = st.sampled_from(["inbox.a", "inbox.b", "directory", "referral.ledger", "x"])
SETTINGS = st.dictionaries(
    st.sampled_from(["retention.ms", "cleanup.policy", "segment.ms"]), st.sampled_from(["1", "2"])
)
SPECS = st.builds(TopicSpec, name=NAMES, partitions=st.integers(1, 3), config=SETTINGS)
WHO = st.sampled_from(["User:a", "User:b", "User:service.router", "User:operator.admin"])
RULES = st.builds(
    Rule,
    principal=WHO,
    resource=st.sampled_from(list(Resource)),
    name=NAMES,
    pattern=st.sampled_from(list(Pattern)),
    operation=st.sampled_from(list(Operation)),
    permission=st.sampled_from(list(Permission)),
    host=st.sampled_from(["*", "10.0.0.1"]),
)
QUOTAS = st.dictionaries(
    WHO,
    st.dictionaries(
        st.sampled_from(["producer_byte_rate", "consumer_byte_rate"]), st.sampled_from([1.0, 2.0]), min_size=1
    ),
)
WANTED = st.builds(
    Wanted, topics=st.lists(SPECS, unique_by=lambda spec: spec.name), rules=st.frozensets(RULES), quotas=QUOTAS
)


@st.composite
def brokers(draw: st.DrawFn) -> Found:
    topics = {}
    for name in draw(st.sets(NAMES)):
        own = draw(SETTINGS)
        topics[name] = FoundTopic(draw(st.integers(1, 3)), {"retention.ms": "0", **own}, own.keys())
    return Found(topics=topics, rules=draw(st.frozensets(RULES)), quotas=draw(QUOTAS))


def applied(what: Difference, found: Found) -> Found:
    """Return what a broker has once *what* was done to it."""
    topics = dict(found.topics)
    for spec in what.missing:
        topics[spec.name] = FoundTopic(spec.partitions, spec.config, spec.config.keys())
    for spec in what.drifted:
        topics[spec.name] = FoundTopic(topics[spec.name].partitions, spec.config, spec.config.keys())
    quotas: dict[str, Mapping[str, float]] = dict(found.quotas)
    for who, rates in what.quotas.items():
        left = {**quotas.get(who, {}), **rates}
        quotas[who] = {rate: value for rate, value in left.items() if value is not None}
        if not quotas[who]:
            del quotas[who]
    return Found(topics=topics, rules=(found.rules - set(what.revoked)) | set(what.granted), quotas=quotas)


@given(WANTED, brokers())
def test_what_was_put_right_has_nothing_left_to_put_right(wanted: Wanted, found: Found) -> None:
    after = applied(difference(wanted, found), found)

    assert after.rules == wanted.rules
    assert after.quotas == wanted.quotas
    again = difference(wanted, after)
    assert not again.anything
    assert [*again.missing, *again.drifted, *again.granted, *again.revoked, *again.quotas] == []


@given(WANTED, brokers())
def test_nothing_is_done_that_is_not_told_and_no_topic_is_deleted(wanted: Wanted, found: Found) -> None:
    what = difference(wanted, found)

    drifted = {spec.name for spec in what.drifted}
    rates = sum(len(rates) for rates in what.quotas.values())
    assert len(what.lines) == len(what.missing) + len(what.drift) + len(what.granted) + len(what.revoked) + rates
    assert drifted == {line.partition(":")[0] for line in what.drift}
    assert applied(what, found).topics.keys() >= found.topics.keys()
    assert {line.partition(":")[0] for line in what.strange} == found.topics.keys() - {
        spec.name for spec in wanted.topics
    }


@given(WANTED)
def test_a_broker_as_it_should_be_differs_in_nothing(wanted: Wanted) -> None:
    topics = {spec.name: FoundTopic(spec.partitions, spec.config, spec.config.keys()) for spec in wanted.topics}

    what = difference(wanted, Found(topics=topics, rules=wanted.rules, quotas=wanted.quotas))
    assert [*what.lines, *what.miscounted, *what.strange] == []


def test_what_is_told_can_be_read_by_a_person() -> None:
    access = read_access()
    wanted = Wanted(topics=topic_specs(4, ["ward-a"]), rules=access.rules(["ward-a"]), quotas=access.quotas(["ward-a"]))
    strange = Rule("User:ward-b", Resource.TOPIC, "inbox.ward-a", Pattern.LITERAL, Operation.READ)
    inbox = FoundTopic(3, {"compression.type": "gzip"}, {"compression.type", "flush.ms"})
    found = Found(
        topics={"inbox.ward-a": inbox, "other": FoundTopic(1, {})},
        rules=frozenset({strange}),
        quotas={"ward-a": {"producer_byte_rate": 1.0}, "ward-b": {"consumer_byte_rate": 5.0}},
    )

    what = difference(wanted, found)

    assert {
        "+ referral.ledger: 5 partitions",
        "~ inbox.ward-a: compression.type is gzip, not uncompressed",
        "~ inbox.ward-a: flush.ms is None, set by hand",
        "+ ward-a may read topic inbox.ward-a",
        "+ ward-a may read group ward-a.*",
        "+ service.router may write transactional id referral-router-*",
        "- ward-b may read topic inbox.ward-a",
        "~ ward-a: producer_byte_rate is 1, not 2097152",
        "+ ward-a: request_percentage 50",
        "- ward-b: consumer_byte_rate 5",
    } <= set(what.lines)
    assert what.miscounted == ["inbox.ward-a: 3 partitions, not 1"]
    assert what.strange == ["other: nobody asked for it"]
