"""What the log's description over HTTP says holds from outside: a real server is asked all that it allows, and more."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.services.audit_log.auditors import AUDITOR, OTHER, Audited

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


class Signing(requests.auth.AuthBase):
    """Signs what schemathesis made, by one key or another; now and then by none."""

    def __init__(self, audited: Audited) -> None:
        self._signings = [audited.signing(AUDITOR), audited.signing(OTHER), audited.signing(AUDITOR)]
        self._turn = 0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self._turn += 1
        if self._turn % 7:
            # Nothing that is asked here has a body.
            made = httpx.Request(str(request.method), str(request.url))
            self._signings[self._turn % 3].sign(made)
            for name in ("signature", "signature-input"):
                request.headers[name] = made.headers[name]
        return request


class Server:
    """The application on a port of loopback."""

    def __init__(self, audited: Audited, url: str) -> None:
        self.audited, self.url, self.signing = audited, url, Signing(audited)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    audited = Audited(tmp_path_factory.mktemp("log"))
    with audited.app() as app, socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not running.started:
                time.sleep(0.01)
            yield Server(audited, f"http://127.0.0.1:{listener.getsockname()[1]}")
        finally:
            running.should_exit = True
            thread.join()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(
    "path", ["/cases/{subject}/trail", "/cases/{subject}/bundle", "/cases/{subject}/reads", "/search"]
)
def test_whatever_is_asked_is_answered_as_described(server: Server, path: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    seen = set[int]()

    @given(schema[f"/v1{path}"]["GET"].as_strategy(generation_mode=mode), st.booleans())
    @settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
    def asked(case: schemathesis.Case[Any], known: bool) -> None:
        if known and case.path_parameters:
            case.path_parameters["subject"] = server.audited.subject
        response = case.call(auth=server.signing)
        case.validate_response(response, checks=CHECKS)
        seen.add(response.status_code)

    asked()
    assert {200, 401} <= seen <= {200, 400, 401, 404} if mode is GenerationMode.POSITIVE else 401 in seen
