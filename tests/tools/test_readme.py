import pytest
import typer

from referral_bus._cli import build
from tools.readme import commands, targets, wrong_target, wrong_verb

MARKDOWN = """
Prose, `make check` in a span, and don't trip over `it's`.

```sh
$ make demo            # a comment
KAFKA_BOOTSTRAP=here:9092 make test && referral-bus \\
    send intake.json
```

```python
make = "not a command"
```
"""


def test_commands_are_found_in_shell_blocks_and_spans_only() -> None:
    expected = [["make", "check"], ["make", "demo"], ["make", "test"], ["referral-bus", "send", "intake.json"]]

    assert expected == list(commands(MARKDOWN))


def test_a_target_that_does_not_exist_is_named() -> None:
    known = targets("test: .venv/ready\n\t@pytest\n.PHONY: test\nPY := python\n")

    assert known == {"test"}
    assert wrong_target(["make", "-j2", "test", "X=1"], known) is None
    assert wrong_target(["make", "tset"], known) == "there is no target 'tset' in the Makefile"


def test_a_verb_or_an_option_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    program = typer.main.get_command(build()).main

    assert wrong_verb(["referral-bus", "inbox", "list", "--json"], program) is None
    assert wrong_verb(["referral-bus", "sned"], program) == "no such command 'sned'. Did you mean 'send'?"
    assert "--no-such" in (wrong_verb(["referral-bus", "send", "--no-such"], program) or "")
    assert capsys.readouterr().out == ""
