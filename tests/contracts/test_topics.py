import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts import topics
from referral_contracts.encoding import AGENCY
from referral_contracts.topics import (
    BATCH_MAX,
    CHANGE_MAX,
    ENVELOPE_MAX,
    OUTPUT_MAX,
    POSITION_KEY,
    SUBMISSION_MAX,
    agency_of,
    inbox,
    partition_for,
    topic_specs,
)

SPECS = {spec.name: spec for spec in topic_specs(4, ["ward-a", "police-b", "ward-a"])}


class TestPartitions:
    @pytest.mark.parametrize(
        ("text", "signed"),
        [
            # org.apache.kafka.common.utils.UtilsTest.testMurmur2
            ("21", -973932308),
            ("foobar", -790332482),
            ("a-little-bit-long-string", -985981536),
            ("a-little-bit-longer-string", -1486304829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
            ("abc", 479470107),
        ],
    )
    def test_a_key_hashes_as_kafkas_own_clients_hash_it(self, text: str, signed: int) -> None:
        assert topics._murmur2(text.encode()) == signed % 2**32

    @given(st.text("0123456789abcdef", min_size=32, max_size=32), st.integers(1, 64))
    def test_every_case_has_one_partition(self, subject: str, partitions: int) -> None:
        assert partition_for(subject, partitions) in range(partitions)
        assert partition_for(subject, 1) == 0


class TestSpecs:
    def test_what_belongs_to_a_case_lies_in_one_partition_number(self) -> None:
        # Ledger and state have one more, for the directory.
        assert SPECS[topics.SUBMISSIONS].partitions == 4
        assert SPECS[topics.LEDGER].partitions == SPECS[topics.STATE].partitions == 5
        assert SPECS[topics.WATCHER_STATE].partitions == 5

    def test_a_reader_of_these_has_one_order(self) -> None:
        one = [topics.DIRECTORY, topics.DIRECTORY_SUBMISSIONS, inbox("ward-a"), inbox("police-b")]

        assert {SPECS[name].partitions for name in one} == {1}

    @pytest.mark.parametrize("name", [topics.SUBMISSIONS, topics.DIRECTORY_SUBMISSIONS])
    def test_what_agencies_write_is_stamped_and_unpacked_by_the_broker(self, name: str) -> None:
        assert SPECS[name].config["message.timestamp.type"] == "LogAppendTime"
        assert SPECS[name].config["compression.type"] == "uncompressed"

    def test_state_and_directory_are_compacted_and_nothing_else(self) -> None:
        compacted = {name for name, spec in SPECS.items() if spec.config.get("cleanup.policy") == "compact"}

        assert compacted == {topics.STATE, topics.WATCHER_STATE, topics.DIRECTORY}

    def test_every_agency_has_one_inbox(self) -> None:
        assert {name for name in SPECS if name.startswith("inbox.")} == {"inbox.ward-a", "inbox.police-b"}

    def test_what_was_taken_in_can_be_passed_on(self) -> None:
        # Whatever is added on the way, headers and the record's own frame, stays below this.
        added = 32 * 1024
        limits = {name: int(spec.config["max.message.bytes"]) for name, spec in SPECS.items()}

        assert ENVELOPE_MAX + added <= SUBMISSION_MAX == limits[topics.SUBMISSIONS]
        assert CHANGE_MAX + added <= limits[topics.DIRECTORY_SUBMISSIONS]
        assert max(limits[topics.SUBMISSIONS], limits[topics.DIRECTORY_SUBMISSIONS]) <= BATCH_MAX
        outputs = {topics.LEDGER, topics.STATE, topics.DIRECTORY, inbox("ward-a")}
        assert BATCH_MAX + added <= OUTPUT_MAX == min(limits[name] for name in outputs)


@given(st.from_regex(AGENCY, fullmatch=True) | st.text("0123456789abcdef", min_size=32, max_size=32))
def test_the_reserved_key_of_the_state_is_nobodys(key: str) -> None:
    assert b"@" in POSITION_KEY
    assert "@" not in key


def test_a_desk_is_its_agencys() -> None:
    assert agency_of("police-b/youth") == agency_of("police-b") == "police-b"
