import ast

from tests.house.tree import ROOT, files

LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 50


def test_a_file_can_be_read_in_one_sitting() -> None:
    sizes = {str(path): len((ROOT / path).read_text().splitlines()) for path in files("*.py")}

    assert {path: size for path, size in sizes.items() if size > LINES_OF_A_FILE} == {}


def test_a_function_fits_on_a_screen() -> None:
    sizes = {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in files("*.py")
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: size for name, size in sizes.items() if size > LINES_OF_A_FUNCTION} == {}
