"""
A witness of the log, run by an agency: it remembers the largest tree that it has seen and cosigns what continues it.

Whoever relies on a receipt relies on the log not showing others another history. A witness makes that certain as far
as it reaches: it cosigns one line of history alone (c2sp.org/tlog-witness), so a log that shows two needs as many
witnesses that look away as the policy asks for. It holds one key and one small file, reads nothing of any event, and
needs no account anywhere.
"""

from referral_bus.witness.key import WitnessKey
from referral_bus.witness.store import Dispute, Seen, WitnessStore

__all__ = ["Dispute", "Seen", "WitnessKey", "WitnessStore"]
