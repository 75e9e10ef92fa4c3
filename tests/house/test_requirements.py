import json
import re
import tomllib

import pytest

from tests.house.tree import ROOT

PART = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?(.*)$")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked(lines: list[str]) -> dict[str, str]:
    """Return what a list of requirements asks for: a version specifier, maybe empty, for each name."""
    parts = [PART.match(line.split("#")[0].split(";")[0].strip()) for line in lines]
    return {canonical(part[1]): part[2].strip() for part in parts if part and not part[1].startswith("-")}


def asked_in(name: str) -> dict[str, str]:
    return asked((ROOT / "requirements" / name).read_text().splitlines())


def locked_in(name: str) -> dict[str, str]:
    """Return the version of each name in a lock, after a look at its hashes."""
    text = (ROOT / "requirements" / name).read_text().replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert all("--hash=sha256:" in entry for entry in entries)
    return dict(re.match(r"([^=]+)==(\S+)", entry).groups() for entry in entries)  # type: ignore[union-attr,misc]


@pytest.mark.parametrize("part", ["run", "build", "dev"])
def test_a_lock_holds_what_is_asked_for(part: str) -> None:
    locked = locked_in(f"{part}.txt")

    for name, specifier in asked_in(f"{part}.in").items():
        if specifier.startswith("<"):
            continue  # a bound on what others bring along
        assert name in locked
        assert specifier in {"", f"=={locked[name]}"}


def test_the_two_locks_agree() -> None:
    run, dev = locked_in("run.txt"), locked_in("dev.txt")

    assert {name: run[name] for name in run.keys() & dev.keys()} == {
        name: dev[name] for name in run.keys() & dev.keys()
    }


def test_the_vectors_are_of_the_release_of_cryptography_that_we_run() -> None:
    assert locked_in("dev.txt")["cryptography-vectors"] == locked_in("run.txt")["cryptography"]


def test_what_the_distribution_asks_for_is_what_we_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert (
        asked_in("run.in").keys()
        == asked(project["dependencies"] + project["optional-dependencies"]["services"]).keys()
    )


@pytest.mark.parametrize("folder", ["contracts/readers/js", "tests/interop/node"])
def test_a_lock_of_npm_holds_exact_versions_and_hashes_and_names_no_registry(folder: str) -> None:
    asked = json.loads((ROOT / folder / "package.json").read_text())["dependencies"]
    packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    locked = {path: package for path, package in packages.items() if path}

    assert asked == packages[""]["dependencies"]
    assert asked == {name: locked[f"node_modules/{name}"]["version"] for name in asked}
    assert all(package["integrity"].startswith("sha512-") for package in locked.values())
    assert not any("resolved" in package for package in locked.values())
