import subprocess
from pathlib import Path

import pytest

from tools.supply.locks import Locked, Unlocked, go, jars, npm, of_repository, python

HASH = "a" * 64
SUM = "h1:" + "A" * 43 + "="
SHA512 = "sha512-" + "A" * 86 + "=="


def test_every_lock_of_the_repository_holds() -> None:
    locks = of_repository()

    assert {path.rpartition("/")[2] for path in locks} == {
        "build.txt",
        "run.txt",
        "dev.txt",
        "package-lock.json",
        "go.mod",
        "jars.sha256",
    }
    assert {package.kind for packages in locks.values() for package in packages} == {"pypi", "npm", "golang", "maven"}


def test_a_python_package_is_one_version_with_the_hashes_of_its_files() -> None:
    hashes = f"    --hash=sha256:{HASH} \\\n    --hash=sha256:{HASH}\n"
    text = f"# a comment\nsix==1.17 ; sys_platform == 'win32' \\\n{hashes}    # via x\n"

    assert list(python(text)) == [Locked(kind="pypi", name="six", version="1.17", hashes=(f"sha256:{HASH}",) * 2)]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("six==1.17", id="no hash"),
        pytest.param(f"six==1.17 --hash=md5:{HASH}", id="another hash"),
        pytest.param(f"six>=1.17 --hash=sha256:{HASH}", id="no version"),
        pytest.param(f"six @ https://host/six.whl --hash=sha256:{HASH}", id="an address"),
        pytest.param("--index-url https://host/simple", id="an index"),
        pytest.param("--find-links folder", id="a folder"),
        pytest.param("-e .", id="a checkout"),
    ],
)
def test_a_python_lock_that_leaves_something_open_is_refused(line: str) -> None:
    with pytest.raises(Unlocked):
        list(python(f"rich==1 --hash=sha256:{HASH}\n{line}\n"))


def npm_lock(package: str) -> str:
    return f'{{"packages": {{"": {{"name": "ours"}}, "node_modules/a/node_modules/@b/c": {package}}}}}'


def test_an_npm_package_is_one_version_with_its_hash_and_licence() -> None:
    text = npm_lock(f'{{"version": "1.2.3", "integrity": "{SHA512}", "license": "MIT"}}')

    assert list(npm(text)) == [
        Locked(kind="npm", name="@b/c", version="1.2.3", hashes=(SHA512.replace("-", ":", 1),), licence="MIT")
    ]


@pytest.mark.parametrize(
    "package",
    [
        pytest.param('{"version": "1.2.3"}', id="no hash"),
        pytest.param('{"version": "1.2.3", "integrity": "sha1-AAAA"}', id="a weak hash"),
        pytest.param(f'{{"version": "^1.2", "integrity": "{SHA512}"}}', id="no version"),
        pytest.param(f'{{"version": "1.2.3", "integrity": "{SHA512}", "resolved": "https://host/c.tgz"}}', id="a host"),
        pytest.param('{"link": true, "resolved": "../c"}', id="a folder"),
    ],
)
def test_an_npm_lock_that_leaves_something_open_is_refused(package: str) -> None:
    with pytest.raises(Unlocked):
        list(npm(npm_lock(package)))


MODULES = """module ours

go 1.26

require (
\tx.org/a v1.0.0
\tours/b v0.0.0
\tours/d v0.0.0
\tours/e v0.0.0
)
replace ours/b => ../b
replace (
\tours/d => ../d
\tours/e v0.0.0 => ../e
)
require x.org/c v0.1.0 // indirect
"""
SUMS = "".join(
    f"{module} {SUM}\n"
    for module in ("x.org/a v1.0.0", "x.org/a v1.0.0/go.mod", "x.org/c v0.1.0", "x.org/c v0.1.0/go.mod")
)


def test_a_go_module_is_one_version_with_the_sum_of_its_tree() -> None:
    assert list(go(MODULES, SUMS)) == [
        Locked(kind="golang", name="x.org/a", version="v1.0.0", hashes=(SUM,)),
        Locked(kind="golang", name="x.org/c", version="v0.1.0", hashes=(SUM,)),
    ]


@pytest.mark.parametrize("lost", range(4))
def test_a_go_module_without_its_sums_is_refused(lost: int) -> None:
    lines = SUMS.splitlines(keepends=True)

    with pytest.raises(Unlocked):
        list(go(MODULES, "".join(lines[:lost] + lines[lost + 1 :])))


@pytest.mark.parametrize(
    "elsewhere", ["replace x.org/a => y.org/a v1.0.0\n", "replace (\n\tx.org/a => y.org/a v1.0.0\n)\n"]
)
def test_a_go_module_from_elsewhere_is_refused(elsewhere: str) -> None:
    with pytest.raises(Unlocked):
        list(go(MODULES + elsewhere, SUMS))


def test_a_jar_is_a_version_with_its_hash() -> None:
    locked = Locked(kind="maven", name="kafka_2.13", version="4.0.2", hashes=(f"sha256:{HASH}",))

    assert list(jars(f"{HASH}  kafka_2.13-4.0.2.jar\n")) == [locked]
    with pytest.raises(Unlocked):
        list(jars("kafka_2.13-4.0.2.jar\n"))


def test_a_lock_that_is_open_is_named(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/run.txt").write_text("six==1.17\n")

    with pytest.raises(Unlocked, match=r"requirements/run\.txt: .*six"):
        of_repository(tmp_path)
