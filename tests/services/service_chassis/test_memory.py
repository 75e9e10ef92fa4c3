import subprocess
import sys

LOOK = """
import gc
from service_chassis import memory
memory.settle()
print(*gc.get_threshold(), gc.get_freeze_count() > 0)
"""


def test_the_collector_looks_seldom_and_not_at_what_stays() -> None:
    # In a process of its own: it is a setting of the whole one.
    told = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True).stdout

    assert told.split() == ["400000", "10", "100", "True"]
