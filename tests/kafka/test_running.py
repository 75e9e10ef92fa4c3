"""What a running bus leaves behind when the process that holds it is killed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from running import RunningBus

pytestmark = pytest.mark.kafka

HOLD = """
import sys
from pathlib import Path
from running import RunningBus
bus = RunningBus(Path(sys.argv[1]), say=lambda text: None)
print(bus.routers[0].process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
def test_no_router_outlives_the_one_who_started_it(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "bus")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        router = int(holder.stdout.readline())
        holder.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 30
    while _runs(router) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(router)


def test_a_broker_that_died_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    with RunningBus(tmp_path / "bus", say=said.append) as bus:
        assert bus.node is not None
        bus.node.kill()

        bus.look_after()

        assert bus.node.running
        assert "Kafka ended; starting it again" in said
        version = bus.renew()
    assert version > 1


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    # A zombie has ended; whoever adopted it has only not yet said so.
    return state != "Z"
