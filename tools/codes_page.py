"""The table of codes: for SPEC, and for `docs/codes.md`."""

from collections.abc import Iterator
from pathlib import Path

from referral_contracts.codes import BLAME, Blame, Code, hint
from tools.tables import code, table, words

PAGE = Path("docs/codes.md")

_INTRODUCTION = """# Codes

Every code that an error or a refusal can carry.
A code is stable: the reason on the wire, the label in a metric, the anchor on this page.
It never says whose case, which key or what content it was about.

"""


def table_of_codes() -> str:
    meanings = words(Code)
    return table(
        ("code", "what it means", "whose to change", "hint"),
        ((code(item.value), meanings[item.value], BLAME[item].value, hint(item)) for item in Code),
    )


def blames() -> str:
    return "".join(f"- *{name}*: {told[0].lower()}{told[1:]}\n" for name, told in words(Blame).items())


def pages() -> Iterator[tuple[Path, str]]:
    """Yield the page of codes: a paragraph for each, so that one can point to it."""
    meanings = words(Code)
    parts = [_INTRODUCTION, "Whose it is to change something before the same thing can work:\n\n", blames()]
    for item in Code:
        advice = f" Hint: {hint(item)}." if hint(item) else ""
        parts.append(f"\n## {item.value}\n\n{meanings[item.value]} *{BLAME[item].value}.*{advice}\n")
    yield PAGE, "".join(parts)
