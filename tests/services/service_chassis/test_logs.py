import io
import json
import logging
from typing import Any

import pytest

from service_chassis.logs import Log, make_log, tame

SECRET = "Nguyễn Văn An"


def log_into(out: io.StringIO, dropped: list[None] | None = None) -> Log:
    return make_log("router", dropped=lambda: (dropped if dropped is not None else []).append(None), out=out)


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_field_that_is_not_on_the_list_is_dropped_and_counted() -> None:
    out, dropped = io.StringIO(), list[None]()

    log_into(out, dropped).info("opened", lane="in-0", child=SECRET)

    (line,) = lines(out)

    assert (line["event"], line["lane"], line["service"]) == ("opened", "in-0", "router")
    assert SECRET not in out.getvalue()
    assert len(dropped) == 1


def test_of_an_exception_only_the_type_is_written() -> None:
    out = io.StringIO()
    try:
        raise ValueError(SECRET)
    except ValueError:
        log_into(out).exception("failed")

    assert lines(out)[0]["error"] == "ValueError"
    assert SECRET not in out.getvalue()


def test_an_error_given_by_its_name_is_not_overwritten() -> None:
    out = io.StringIO()

    log_into(out).warning("failed", error="KafkaError")

    assert lines(out)[0]["error"] == "KafkaError"


@pytest.fixture
def clock() -> list[float]:
    """Give the time, for a test to change."""
    return [0.0]


@pytest.fixture
def library(clock: list[float]) -> Any:
    """Give a tamed library's logger and where its lines go; the logging of the process is put back."""
    known = [logging.getLogger(name) for name in ("aiokafka", "faststream", "uvicorn", "asyncio")]
    before = [(logger, logger.handlers, logger.propagate, logger.level) for logger in known]
    out = io.StringIO()
    tame(log_into(out), lambda: clock[0])
    yield logging.getLogger("aiokafka.consumer"), out
    for logger, handlers, propagate, level in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def test_a_library_is_quoted_without_its_arguments(library: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = library

    logger.warning("cannot send %s", SECRET)

    (line,) = lines(out)

    assert (line["detail"], line["logger"], line["level"]) == ("cannot send %s", "aiokafka.consumer", "warning")
    assert SECRET not in out.getvalue()


def test_a_library_says_the_same_thing_once_in_a_while(
    library: tuple[logging.Logger, io.StringIO], clock: list[float]
) -> None:
    logger, out = library
    for _ in range(100):
        logger.error("unable to connect to node %s", 1)
    clock[0] = 60.0
    logger.error("unable to connect to node %s", 1)

    assert [line["suppressed"] for line in lines(out)] == [0, 99]


def test_a_library_that_only_informs_is_not_heard(library: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = library

    logger.info("joined group %s", "router")

    assert out.getvalue() == ""
