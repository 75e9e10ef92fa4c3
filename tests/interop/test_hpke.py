"""Content keys, sealed and opened by a library of HPKE that is not ours: hpke-js, which has the suite."""

import json
import subprocess
from collections.abc import Iterator
from typing import IO

import pytest

from referral_contracts.encoding import b64, unb64
from referral_contracts.keys import SealingKey, SealingPublic
from tests.house.tree import ROOT
from tests.interop.readers import node

pytestmark = pytest.mark.interop

CEK = bytes(range(32))
INFO = b"where it stands"


class Other:
    """Somebody with a key of its own, kept as the X-Wing draft's seed."""

    def __init__(self, told: IO[str], tells: IO[str]) -> None:
        self._told = told
        self._tells = tells
        self.public = unb64(tells.readline().strip())

    def does(self, **asked: bytes) -> bytes:
        self._told.write(json.dumps({name: b64(value) for name, value in asked.items()}) + "\n")
        self._told.flush()
        return unb64(self._tells.readline().strip())


@pytest.fixture
def other() -> Iterator[Other]:
    command = [node(), "hpke.js"]
    folder = ROOT / "tests/interop/node"
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Other(process.stdin, process.stdout)
        process.stdin.close()


def test_we_open_what_hpke_js_sealed(other: Other) -> None:
    key = SealingKey.generate()
    sealed = other.does(seal=CEK, to=key.public, info=INFO)

    assert key.decapsulate(sealed, INFO) == CEK


def test_hpke_js_opens_what_we_sealed(other: Other) -> None:
    sealed = SealingPublic.admit(other.public).encapsulate(CEK, INFO)

    assert other.does(open=sealed, info=INFO) == CEK
