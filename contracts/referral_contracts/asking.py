"""
How a question over HTTP is signed (RFC 9421): what is covered, by which key, for how long it is good.

The key is one of the asking agency whose only use is `http`; ``keyid`` is its id in the directory. Scheme and transport
are not covered, so that a proxy may end TLS; ``tag`` names the bus, so that no other bus's log takes the question.
"""

from typing import Final

LABEL: Final = "asker"
COMPONENTS: Final = ("@method", "@authority", "@path", "@query")
"""At least these; where there is a body, also ``content-digest`` (RFC 9530)."""
ALGORITHM: Final = "ed25519"
PARAMETERS: Final = frozenset({"created", "keyid", "nonce", "tag"})
"""At least these. With ``expires`` it may be good for less than `MAX_AGE_S`, never for longer."""
MAX_AGE_S: Final = 60
SKEW_S: Final = 5
"""How far the clock of who asks may be ahead or behind."""
NONCE_SIZE: Final = 16
NONCE: Final = r"^[A-Za-z0-9_-]{22,64}$"
"""Of at least `NONCE_SIZE` random bytes; it is taken once."""
MAX_BODY: Final = 65_536


def tag_of(bus: str) -> str:
    """Return the ``tag`` of a question to the log of *bus*."""
    return f"referral-bus-asking/v1 {bus}"
