"""Our envelopes, as the packages of the CloudEvents project read them, in Python and in JavaScript."""

import json
import subprocess
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat

from tests.contracts.vector_runners import octets
from tests.house.tree import ROOT
from tests.interop.readers import VECTORS, node

pytestmark = pytest.mark.interop

VALUES = [
    octets(vector["value"]) for vector in VECTORS if vector["kind"] == "envelope" and vector["expect"] == "valid"
] + [octets(said["value"]) for vector in VECTORS if vector["kind"] == "life" for said in vector["submissions"]]


def test_the_package_of_pypi_reads_every_envelope() -> None:
    for value in VALUES:
        message = HTTPMessage(headers={"content-type": "application/cloudevents+json"}, body=value)
        event = from_structured(message, JSONFormat())
        read = event.get_attributes()
        ours = json.loads(value)

        assert ours["data"] == event.get_data()
        assert {name: ours[name] for name in ours.keys() - {"data", "time"}} == {
            name: read[name] for name in ours.keys() - {"data", "time"}
        }


def test_the_package_of_npm_reads_every_envelope() -> None:
    command = [node(), "cloudevents.js"]
    run = subprocess.run(
        command,
        cwd=ROOT / "tests/interop/node",
        input=b"\n".join(VALUES),
        capture_output=True,
        timeout=60,
        check=True,
    )
    read: list[dict[str, Any]] = [json.loads(line) for line in run.stdout.splitlines()]

    assert [json.loads(value) for value in VALUES] == read
