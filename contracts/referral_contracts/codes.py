"""
Every code an error or a refusal can carry: a closed list.

A code is stable and low-cardinality: the reason on the wire, the label in a metric, the anchor in the docs.
A code never says whose case, which key or what content it was about.
"""

from enum import Enum, StrEnum
from typing import Final


class Blame(Enum):
    """Who has to change something before the same thing can work."""

    LOCAL = "local"
    REMOTE = "remote"


class Code(StrEnum):
    """What went wrong."""

    # What the bytes are.
    NULL_VALUE = "null-value"
    OVERSIZE = "oversize"
    MALFORMED_RECORD = "malformed-record"
    MALFORMED_JSON = "malformed-json"
    NOT_CANONICAL = "not-canonical"
    MALFORMED_ENVELOPE = "malformed-envelope"
    MALFORMED_VALUE = "malformed-value"
    UNKNOWN_TYPE = "unknown-type"
    UNKNOWN_VERSION = "unknown-version"
    MISSING_HEADER = "missing-header"
    UNEXPECTED_HEADER = "unexpected-header"
    WRONG_BUS = "wrong-bus"
    UNDELIVERABLE = "undeliverable"

    # Who said it.
    BAD_SIGNATURE = "bad-signature"
    MALFORMED_SIGNATURE = "malformed-signature"
    UNKNOWN_SENDER = "unknown-sender"
    UNKNOWN_KEY = "unknown-key"
    KEY_NOT_VALID = "key-not-valid"
    WEAK_KEY = "weak-key"
    MALFORMED_KEY = "malformed-key"

    # When and where it came.
    OUTSIDE_WINDOW = "outside-window"
    WRONG_PARTITION = "wrong-partition"
    DUPLICATE = "duplicate"
    ID_REUSED = "id-reused"
    TOO_MANY = "too-many"

    # To whom it goes.
    UNKNOWN_RECIPIENT = "unknown-recipient"
    REPEATED_RECIPIENT = "repeated-recipient"
    WRONG_RECIPIENTS = "wrong-recipients"
    RECIPIENTS_APART = "recipients-apart"
    NOT_PERMITTED = "not-permitted"
    WRONG_READERS = "wrong-readers"
    CLOCK_MISSING = "clock-missing"

    # What may follow what.
    WRONG_SUBJECT = "wrong-subject"
    NOT_FOUND = "not-found"
    ILLEGAL_TRANSITION = "illegal-transition"
    STALE_HEAD = "stale-head"
    WRONG_PARTY = "wrong-party"
    OPEN_HANDOFFS = "open-handoffs"
    ARCHIVED = "archived"
    ACCEPTED = "accepted"

    # Sealed sections.
    WRONG_COMMITMENT = "wrong-commitment"
    NOT_A_READER = "not-a-reader"
    UNSEALABLE = "unsealable"
    MALFORMED_SECTION = "malformed-section"
    UNKNOWN_SCHEMA = "unknown-schema"

    # Directory.
    DIRECTORY_EXPIRED = "directory-expired"
    DIRECTORY_BEHIND = "directory-behind"
    DIRECTORY_MISSING = "directory-missing"
    DIRECTORY_FORKED = "directory-forked"
    DIRECTORY_STALE = "directory-stale"
    DIRECTORY_ROOT = "directory-root"
    NOT_ENOUGH_SIGNATURES = "not-enough-signatures"
    MISSING_PROOF = "missing-proof"
    REPEATED_KEY = "repeated-key"
    ENTRY_VANISHED = "entry-vanished"

    # Decisions, as a receiver checks them.
    BAD_DECISION = "bad-decision"
    COUNTER_GAP = "counter-gap"

    # A process and its surroundings.
    BROKER_AWAY = "broker-away"
    TOPIC_MISSING = "topic-missing"
    TOPIC_MISCONFIGURED = "topic-misconfigured"
    POSITION_LOST = "position-lost"
    POSITION_MISSING = "position-missing"
    STATE_FORMAT = "state-format"
    CLOCK_BEHIND = "clock-behind"
    TIMED_OUT = "timed-out"
    LOOSE_PERMISSIONS = "loose-permissions"
    NO_SUCH_FILE = "no-such-file"
    FILE_EXISTS = "file-exists"
    STORE_BUSY = "store-busy"
    INCOMPLETE_INPUT = "incomplete-input"
    INTERNAL = "internal"


HINTS: Final[dict[Code, str]] = {
    Code.NOT_CANONICAL: "write the envelope in RFC 8785 form: sorted keys, no white space, every key once",
    Code.OUTSIDE_WINDOW: "set the clock by the offset in the verdict, sign the event again under the same id",
    Code.WRONG_PARTITION: "use the case pseudonym as record key and partition by murmur2, as Kafka's own clients do",
    Code.ID_REUSED: "an id belongs to one event for ever; send other bytes under a new id",
    Code.TOO_MANY: "too many events of one sender on one case within the window; slow down",
    Code.RECIPIENTS_APART: "these recipients may not know of each other: send each an event of its own",
    Code.WRONG_READERS: "seal every section to recipients or the sender, with keys that the directory lists as valid",
    Code.CLOCK_MISSING: "seal one section to the watcher that tells which clocks this event starts or stops",
    Code.STALE_HEAD: "something moved this hand-off first; read its state and decide again",
    Code.NOT_FOUND: "there is no such case or hand-off that you are a party of",
    Code.OPEN_HANDOFFS: "close, withdraw or wait for the open hand-offs first",
    Code.ARCHIVED: "the case is closed and archived; its owner can reopen it",
    Code.DIRECTORY_EXPIRED: "the registrar has to renew the directory: referral-bus directory renew",
    Code.LOOSE_PERMISSIONS: "make the file readable by its owner alone: chmod 600",
    Code.BROKER_AWAY: "check the address and that Kafka runs; what was sent stays in the outbox",
}
"""What the one to blame can do. A code without a hint says enough by its name."""


def hint(code: Code) -> str:
    """Return the advice that goes with *code*, or an empty string."""
    return HINTS.get(code, "")
