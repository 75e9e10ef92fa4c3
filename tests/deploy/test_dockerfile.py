"""What can be said of the image without building one; tests/interop/test_image.py makes its root and runs it."""

import json
import re
from pathlib import Path
from typing import Final

from image.assemble import USER
from tests.house.tree import ROOT, files

DOCKERFILE: Final = ROOT / "deploy/image/Dockerfile"
STEPS: Final = [
    (word, rest.strip())
    for word, _, rest in (line.partition(" ") for line in DOCKERFILE.read_text().splitlines())
    if word and not word.startswith("#")
]


def given(word: str) -> list[str]:
    return [rest for step, rest in STEPS if step == word]


def test_the_last_stage_begins_with_nothing_and_takes_what_was_built_alone() -> None:
    last = STEPS[max(index for index, (word, _) in enumerate(STEPS) if word == "FROM") :]

    assert last[0] == ("FROM", "scratch")
    assert [rest for word, rest in last if word in {"ADD", "COPY", "RUN"}] == [
        "--from=build /image /",
        f"--from=build --chown={USER}:{USER} /published /published",
    ]


def test_it_runs_as_a_user_by_number_who_is_not_root() -> None:
    assert given("USER") == [f"{USER}:{USER}"]
    assert USER >= 10_000


def test_nothing_goes_through_a_shell() -> None:
    assert all(json.loads(command) for command in given("RUN") + given("ENTRYPOINT"))
    assert given("SHELL") == given("CMD") == []


def test_what_is_installed_is_installed_by_its_hashes() -> None:
    installing = [json.loads(command) for command in given("RUN") if "install" in json.loads(command)]

    assert [command[:2] for command in installing] == [["pip", "install"]]
    assert all("--require-hashes" in command for command in installing)


def test_what_is_copied_is_there_and_let_in() -> None:
    copied = [source for rest in given("COPY") if not rest.startswith("--") for source in rest.split()[:-1]]
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]

    assert {source.rstrip("/") for source in copied} == set(let_in)
    assert all((ROOT / source).exists() for source in copied)


def test_no_file_of_ours_has_a_secret_built_in() -> None:
    """Arguments and variables of a build stay in the image for all to read: there are two, and both are harmless."""
    assert given("ARG") == ["PYTHON=python:3.11-slim-bookworm"]
    assert given("ENV") == ["PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1"]


def test_the_assembler_needs_the_standard_library_alone() -> None:
    imported = re.findall(r"^(?:from|import) (\w+)", (ROOT / "deploy/image/assemble.py").read_text(), re.MULTILINE)

    assert set(imported) <= {*__import__("sys").stdlib_module_names}
    assert Path("deploy/image/assemble.py") in files("deploy/image/*.py")
