"""
For the tests of an agency's own system: a whole bus in memory, with the real rules and a clock wound by hand.

    simulator = Simulator(core=referral_router.core, agencies={"hotline-111": ["hotline"], "ward-a": ["commune"]})
    bus = ReferralBus(
        "hotline-111", simulator.keys["hotline-111"], simulator.root,
        store=…, transport=simulator.connect("hotline-111"), clock=simulator.clock,
    )
"""

from referral_bus.testing.clock import START_MS, Clock
from referral_bus.testing.log import MemoryLog
from referral_bus.testing.memory import Faults, MemoryBroker, MemoryTransport
from referral_bus.testing.simulator import DEFAULT_POLICY, SERVICES, Core, Loss, Simulator
from referral_bus.testing.watching import Rules, WatcherCore, Watching

__all__ = [
    "DEFAULT_POLICY",
    "SERVICES",
    "START_MS",
    "Clock",
    "Core",
    "Faults",
    "Loss",
    "MemoryBroker",
    "MemoryLog",
    "MemoryTransport",
    "Rules",
    "Simulator",
    "WatcherCore",
    "Watching",
]
