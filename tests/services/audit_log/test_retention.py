import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_log.core.retention import deletable

OFFSETS = st.integers(0, 1 << 40)


@pytest.mark.parametrize(
    ("durable", "aged", "read", "before"),
    [
        (10, 20, [], 10),
        (20, 10, [], 10),
        (20, 20, [7, 9], 7),
        (20, 20, [7, None], 0),
    ],
    ids=["not in the log", "too young", "not heard by all", "nobody knows"],
)
def test_only_what_everybody_is_done_with_may_go(durable: int, aged: int, read: list[int | None], before: int) -> None:
    assert deletable(durable, aged, read) == before


@given(OFFSETS, OFFSETS, st.lists(st.none() | OFFSETS))
def test_nothing_goes_that_is_not_stored(durable: int, aged: int, read: list[int | None]) -> None:
    before = deletable(durable, aged, read)

    assert 0 <= before <= min(durable, aged)
    assert all(before <= (offset or 0) for offset in read)
