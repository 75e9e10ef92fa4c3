import json
from itertools import chain
from pathlib import Path
from typing import Any

import cyclonedx.schema
import jsonschema
import pytest
from license_expression import get_spdx_licensing
from referencing import Registry, Resource

from tests.house.test_requirements import locked_in
from tools.supply.__main__ import main
from tools.supply.locks import of_repository
from tools.supply.sbom import bill, written

SCHEMAS = Path(cyclonedx.schema.__file__).parent / "_res"


@pytest.fixture(scope="module")
def told() -> dict[str, object]:
    return bill()


def components(told: dict[str, object]) -> list[dict[str, object]]:
    found = told["components"]
    assert isinstance(found, list)
    return found


def test_a_bill_is_what_cyclonedx_says_one_is(told: dict[str, object]) -> None:
    def schema(name: str) -> dict[str, object]:
        found: dict[str, object] = json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text())
        return found

    others = {name: Resource.from_contents(schema(name)) for name in ("jsf-0.82", "spdx")}
    registry: Registry[Any] = Registry().with_resources(
        (f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", found) for name, found in others.items()
    )
    validator = jsonschema.Draft7Validator(schema("bom-1.6"), registry=registry)

    assert list(validator.iter_errors(told)) == []
    assert not validator.is_valid({**told, "specVersion": "1.6", "bomFormat": "Another"})


def test_it_names_every_locked_package_with_version_hash_and_licence(told: dict[str, object]) -> None:
    locked = {(package.name, package.version) for package in chain.from_iterable(of_repository().values())}

    assert {(found["name"], found["version"]) for found in components(told)} == locked
    assert all(found.get("hashes") or found.get("properties") for found in components(told))
    assert len({found["bom-ref"] for found in components(told)}) == len(components(told))
    spdx = get_spdx_licensing()
    said = {(str(found["name"]), found["licenses"][0]["expression"]) for found in components(told)}  # type: ignore[index]
    assert {(name, text) for name, text in said if spdx.validate(text).errors} == set()


def test_what_is_installed_is_told_from_what_only_tests(told: dict[str, object]) -> None:
    scopes = {str(found["purl"]): found["scope"] for found in components(told)}
    run, dev = locked_in("run.txt"), locked_in("dev.txt")

    assert {scopes[f"pkg:pypi/{name}@{version}"] for name, version in run.items()} == {"required"}
    assert {scopes[f"pkg:pypi/{name}@{dev[name]}"] for name in dev.keys() - run.keys()} == {"excluded"}
    assert scopes["pkg:maven/org.apache.kafka/kafka_2.13@4.0.2"] == "required"


def test_no_copyleft_is_installed(told: dict[str, object]) -> None:
    """What is Apache-2.0 can be given on with these: the one under the GPL only tests, and is given to nobody."""
    licences = {
        str(found["licenses"][0]["expression"])  # type: ignore[index]
        for found in components(told)
        if found["scope"] == "required"
    }

    assert [text for text in licences if text.startswith(("GPL", "AGPL"))] == []


def test_the_same_locks_give_the_same_file(told: dict[str, object], tmp_path: Path) -> None:
    assert main(["sbom", str(tmp_path / "dist/sbom.json")]) == 0
    assert (tmp_path / "dist/sbom.json").read_text() == written(told)
