from pathlib import Path

import pytest

from tests.sdk.cli.terminal import Script

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_person_types_does_what_the_script_says(path: Path, script: Script) -> None:
    script.play(path.read_text("utf-8"))
