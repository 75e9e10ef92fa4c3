"""
The image's root, put together as its Dockerfile does it, and run as a container runs it: from a root that cannot be
written to, as a user without rights, with nothing mounted but what the service needs.

Needs Linux, `unshare` and the package registry (or pip's cache of it). As root the services run as the image's user; as
anybody else they run as that one.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from founding import Founding
from image.assemble import USER
from kafka_node import Authority
from running import AGENCIES
from tests.house.tree import ROOT

pytestmark = pytest.mark.interop

# Nothing of the image is run by this shell: it makes the mounts, in a namespace of its own, and is gone.
INSIDE: Final = """
set -e
mount --bind "$IMAGE" "$IMAGE"
for name in keys data; do mount --bind "$MOUNTS/$name" "$IMAGE/$name"; done
mount -o remount,ro,bind "$IMAGE"
exec chroot $AS "$IMAGE" "$@"
"""
PACKS: Final = "/site-packages/referral_contracts/packs"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image") / "root"
    command = [sys.executable, "deploy/image/assemble.py", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert run.returncode == 0, run.stderr
    # What a container's runtime makes for what it mounts.
    for name in ("keys", "data"):
        (folder / name).mkdir()
    return folder


@pytest.fixture(scope="module")
def mounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two folders of the user: keys, and a place for the log's data."""
    home, mounts = tmp_path_factory.mktemp("bus"), tmp_path_factory.mktemp("mounts")
    founding = Founding.open(home, AGENCIES, Authority.open(home / "pki"))
    (mounts / "keys").mkdir()
    (mounts / "data").mkdir()
    named = {
        "trust.json": home / "trust.json",
        "router.json": founding.folder("router") / "keys.json",
        "watcher.json": founding.folder("deadline-watcher") / "keys.json",
        "state.json": founding.folder("deadline-watcher") / "state-key.json",
        "log.json": founding.folder("audit-log") / "keys.json",
        "ca.crt": founding.folder("router") / "ca.crt",
        **{f"{name}.pem": founding.folder(name) / "tls.pem" for name in ("router", "deadline-watcher", "audit-log")},
    }
    for name, path in named.items():
        copy = mounts / "keys" / name
        copy.touch(mode=0o600)
        copy.write_bytes(path.read_bytes())
    if os.geteuid() == 0:
        for path in (mounts, *mounts.rglob("*")):
            os.chown(path, USER, USER)
    return mounts


def command(*arguments: str) -> list[str]:
    unshared = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    return [*unshared, "/bin/sh", "-c", INSIDE, "sh", "/python", *arguments]


def surroundings(image: Path, mounts: Path, settings: Mapping[str, str]) -> dict[str, str]:
    user = f"--userspec={USER}:{USER}" if os.geteuid() == 0 else ""
    path = os.environ["PATH"]
    return {"PATH": path, "IMAGE": str(image), "MOUNTS": str(mounts), "AS": user, **settings}


def ran(image: Path, mounts: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=surroundings(image, mounts, {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_there_is_no_shell_and_no_installer_in_it(image: Path) -> None:
    names = {
        path.name for path in image.rglob("*") if path.stat(follow_symlinks=False).st_mode & 0o111 and path.is_file()
    }

    assert names & {"sh", "bash", "dash", "busybox", "perl", "apt", "pip", "pip3", "gcc", "ldconfig"} == set()
    assert not [path for path in image.rglob("pip") if path.is_dir() and path.parent.name == "site-packages"]


def test_nothing_in_it_gives_rights_or_is_anybodys_to_change(image: Path) -> None:
    modes = {path: path.stat(follow_symlinks=False).st_mode for path in image.rglob("*") if not path.is_symlink()}

    assert [path for path, mode in modes.items() if mode & 0o6002] == []


def test_its_root_cannot_be_written_to(image: Path, mounts: Path) -> None:
    told = ran(image, mounts, "-c", "open('/here', 'w')")

    assert "Read-only file system: '/here'" in told.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="somebody without rights is this very person")
def test_it_runs_as_its_own_user(image: Path, mounts: Path) -> None:
    assert ran(image, mounts, "-c", "import os; print(os.getuid(), os.getgid())").stdout == f"{USER} {USER}\n"


@pytest.mark.parametrize("module", ["referral_router", "deadline_watcher", "audit_log"])
def test_a_service_without_settings_says_which_are_missing(image: Path, mounts: Path, module: str) -> None:
    told = ran(image, mounts, "-m", module)

    assert (told.returncode, "REFERRAL_BUS_TRUST: field required" in told.stderr) == (2, True)


def test_the_command_is_in_it(image: Path, mounts: Path) -> None:
    told = ran(image, mounts, "-m", "referral_bus_command", "audit", "--help")

    assert told.returncode == 0, told.stderr


def packs(image: Path) -> Path:
    (found,) = image.rglob(f"*{PACKS}")
    return Path("/") / found.relative_to(image)


def settings_of(image: Path, module: str) -> dict[str, str]:
    rules = packs(image)
    return {
        "referral_router": {"ROUTER_KEY": "/keys/router.json", "TLS_CERTIFICATE": "/keys/router.pem"},
        "deadline_watcher": {
            "TLS_CERTIFICATE": "/keys/deadline-watcher.pem",
            "WATCHER_KEY": "/keys/watcher.json",
            "WATCHER_STATE_KEY": "/keys/state.json",
            "PACKS": f"{rules}/national.toml:{rules}/policy.toml",
            "CALENDAR": f"{rules}/calendar/vn.toml",
        },
        "audit_log": {
            "TLS_CERTIFICATE": "/keys/audit-log.pem",
            "LOG_KEY": "/keys/log.json",
            "LOG_STORE": "sqlite:////data/log.db",
            "LOG_TILES": "/data/tiles",
            "LOG_HTTP_PORT": "0",
        },
    }[module]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(image: Path, mounts: Path, module: str) -> Iterator[str]:
    port = free_port()
    told = settings_of(image, module) | {
        "BOOTSTRAP": f"127.0.0.1:{free_port()}",
        "TLS_CA": "/keys/ca.crt",
        "TRUST": "/keys/trust.json",
        "HTTP_PORT": str(port),
    }
    settings = {f"REFERRAL_BUS_{name}": value for name, value in told.items()}
    with subprocess.Popen(command("-m", module), env=surroundings(image, mounts, settings)) as process:
        try:
            yield f"http://127.0.0.1:{port}"
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()


def status(address: str) -> int:
    for _ in range(200):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            time.sleep(0.1)
    raise AssertionError(address)


@pytest.mark.parametrize("module", ["referral_router", "deadline_watcher", "audit_log"])
def test_a_service_lives_in_it_and_waits_for_the_broker(image: Path, mounts: Path, module: str) -> None:
    with running(image, mounts, module) as address:
        assert [status(address + page) for page in ("/livez", "/readyz", "/metrics")] == [200, 503, 200]
