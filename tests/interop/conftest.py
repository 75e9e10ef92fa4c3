"""Each reader is built once."""

from collections.abc import Mapping

import pytest

from tests.interop.readers import Program, in_go, in_javascript


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Program]:
    return {"go": in_go(tmp_path_factory.mktemp("go")), "javascript": in_javascript()}


@pytest.fixture(params=["go", "javascript"])
def program(request: pytest.FixtureRequest, programs: Mapping[str, Program]) -> Program:
    return programs[request.param]
