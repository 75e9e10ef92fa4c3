import tomllib

from tests.house.test_third_parties import MAY_IMPORT
from tests.house.tree import ROOT, SHELVES, files

TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
ON_THE_SHELVES = {path.parent for path in files(*(f":(glob){shelf}/*/__init__.py" for shelf in SHELVES))}


def test_the_wheel_holds_each_package_of_the_shelves() -> None:
    assert {str(path) for path in ON_THE_SHELVES} == set(TOOLS["hatch"]["build"]["targets"]["wheel"]["packages"])


def test_each_package_has_its_import_rules() -> None:
    names = {path.name for path in ON_THE_SHELVES}

    assert names == set(TOOLS["importlinter"]["root_packages"])
    assert names == set(MAY_IMPORT)


def test_each_package_carries_its_types() -> None:
    assert files(*(str(path / "py.typed") for path in ON_THE_SHELVES)) == [
        path / "py.typed" for path in sorted(ON_THE_SHELVES)
    ]
