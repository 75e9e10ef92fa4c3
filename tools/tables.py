"""What the generated pages are made of: Markdown tables, and what the code says of its own names."""

import ast
import inspect
from collections.abc import Iterable, Sequence
from enum import Enum


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def code(text: object) -> str:
    """Return *text* as a code span; nothing for nothing."""
    return f"`{text}`" if text else ""


def words(of: type[Enum]) -> dict[str, str]:
    """Return the docstring under each member of an enumeration, by the member's value, on one line."""
    (body,) = ast.parse(inspect.getsource(of)).body
    if not isinstance(body, ast.ClassDef):
        raise TypeError(of)
    found: dict[str, str] = {}
    name = ""
    for node in body.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        elif name and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[of[name].value] = " ".join(str(node.value.value).split())
            name = ""
        else:
            name = ""
    return found
