"""The security rules of the linter are on: planted faults are found with the very settings of the repository."""

import json
import subprocess
import sys

import pytest

from tests.house.tree import ROOT

FAULTS = {
    "S105": "password = " + '"hunter2"',
    "S301": "import pickle\npickle.loads(b'')",
    "S307": "eval(input())",
    "S311": "import random\nrandom.random()",
    "S324": "import hashlib\nhashlib.md5(b'')",
    "S501": "import httpx\nhttpx.get('https://host', verify=False)",
    "S506": "import yaml\nyaml.load('')",
    "S602": "import subprocess\nsubprocess.run(input(), shell=True)",
    "S608": "def asked(cursor, name):\n    cursor.execute(f\"SELECT * FROM t WHERE name = '{name}'\")",
    "PLE2502": "name = '\u202e'",
}


@pytest.mark.parametrize("folder", ["contracts/referral_contracts", "sdk/referral_bus", "services/audit_log", "tools"])
def test_planted_faults_are_found(folder: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--output-format", "json", "--no-cache", "--stdin-filename"]
    for rule, code in FAULTS.items():
        told = subprocess.run(
            [*command, f"{folder}/planted.py", "-"], cwd=ROOT, input=code, capture_output=True, text=True, check=False
        )

        assert rule in {finding["code"] for finding in json.loads(told.stdout)}
