import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def start(port_file: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.services.service_chassis.framed", str(port_file), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def said(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return the next line of the log."""
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_answers_on_loopback_and_ends_in_order(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path / "port")
    try:
        serving = said(process)
        port = int((tmp_path / "port").read_text())

        assert (serving["event"], serving["host"], serving["port"]) == ("serving", "127.0.0.1", port)
        assert get(port, "/livez")[0] == 200
        assert get(port, "/readyz") == (
            503,
            '{"ready": false, "troubles": [{"where": "group", "code": "no-assignment"}]}',
        )
        metrics = get(port, "/metrics")[1]
        assert "referral_bus_stuck_partitions 0.0" in metrics
        assert "referral_bus_ready 0.0" in metrics
        assert 'referral_bus_troubles{code="no-assignment",where="group"} 1.0' in metrics

        process.send_signal(number)

        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_service_whose_work_fails_ends_with_an_error(tmp_path: Path) -> None:
    process = start(tmp_path / "port", "fails")
    try:
        assert process.wait(20) == 1
        assert said(process)["event"] == "serving"
        assert (ended := said(process))["event"] == "work-ended"
        assert ended["error"] == "ZeroDivisionError"
    finally:
        process.kill()
        process.communicate()
