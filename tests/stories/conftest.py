"""Every story is told twice: once as it is, once with the router killed before each submission."""

import pytest

from tests.stories.world import World


@pytest.fixture(autouse=True, params=["steady", "restless"])
def _router(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "restless", request.param == "restless")
