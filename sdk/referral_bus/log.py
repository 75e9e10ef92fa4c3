"""
The log, as an agency asks it for receipts: its address, and the policy by which what it answers is checked.

Nothing of what it says is taken on trust: a receipt counts once it leads from the event's bytes to a checkpoint that
the policy's log signed (c2sp.org/tlog-proof, c2sp.org/tlog-policy).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from referral_contracts.log.policy import Policy
from referral_contracts.log.proof import Proven

PATIENCE_S: Final = 3600.0
"""How long a promised receipt may take before somebody is told: longer than a log is mended, shorter than a day."""


class LogTransport(Protocol):
    """A way to the log."""

    async def receipt(self, event: str, place: tuple[int, int] | None) -> bytes | None:
        """
        Return the receipt of the event with this hash, or None where the log does not have one, yet or at all.

        Args:
            event: The hash.
            place: Which of the decisions on it: partition and counter. The log chooses where none is told.

        Raises:
            LocalError: LOG_AWAY: it does not answer, or not as a log does.
        """

    async def close(self) -> None:
        """Let go of it."""


OpenLog: TypeAlias = Callable[[], LogTransport]
"""Makes a way to the log; nothing connects before the first question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAccess:
    """Which log is asked, and by whose keys its receipts are checked."""

    open: OpenLog
    policy: Policy
    patience_s: float = PATIENCE_S
    """How long a promised receipt may take before an alarm is raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReceipt:
    """A receipt that was checked, with what it is for."""

    event_id: str
    receipt: bytes
    """As it goes into a file."""
    value: bytes
    """The event's bytes."""
    signature: bytes
    """Its signature header."""
    proven: Proven


def http_log(url: str) -> OpenLog:
    """Return what asks the log at *url* over HTTP."""

    def open_log() -> LogTransport:
        # Only who asks pays for loading the client.
        from referral_bus._http_log import HttpLog  # noqa: PLC0415

        return HttpLog(url)

    return open_log
