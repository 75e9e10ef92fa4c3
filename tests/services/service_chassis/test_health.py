import json
from collections.abc import MutableMapping, Sequence
from typing import Any

import pytest

from referral_contracts.codes import Code
from service_chassis.health import Asgi, Trouble, livez, readyz

pytestmark = pytest.mark.asyncio


class Part:
    """A part of a process with these troubles."""

    def __init__(self, *troubles: Trouble) -> None:
        self._troubles = troubles

    def troubles(self) -> Sequence[Trouble]:
        return self._troubles


async def ask(app: Asgi) -> tuple[int, Any]:
    said: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    await app({"type": "http"}, receive, send)
    return said[0]["status"], json.loads(said[1]["body"])


async def test_all_well_is_alive_and_ready() -> None:
    assert await ask(livez([Part()])) == (200, {"alive": True, "troubles": []})
    assert await ask(readyz([Part()])) == (200, {"ready": True, "troubles": []})


async def test_what_passes_by_itself_is_alive_but_not_ready() -> None:
    part = Part(Trouble("in-0", Code.DIRECTORY_BEHIND))

    assert await ask(livez([part])) == (200, {"alive": True, "troubles": []})
    assert await ask(readyz([Part(), part])) == (
        503,
        {"ready": False, "troubles": [{"where": "in-0", "code": "directory-behind"}]},
    )


async def test_what_does_not_pass_is_neither() -> None:
    part = Part(Trouble("in-0", Code.POSITION_LOST, fatal=True), Trouble("in-1", "fencing"))

    assert await ask(livez([part])) == (
        503,
        {"alive": False, "troubles": [{"where": "in-0", "code": "position-lost"}]},
    )
    assert (await ask(readyz([part])))[0] == 503
