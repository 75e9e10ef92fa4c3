"""
Every code an error or a refusal can carry: a closed list.

A code is stable and low-cardinality: the reason on the wire, the label in a metric, the anchor in the docs.
A code never says whose case, which key or what content it was about.
"""

from enum import StrEnum
from typing import Final


class Blame(StrEnum):
    """Who has to change something before the same thing can work."""

    SENDER = "sender"
    """Whoever wrote what was refused."""
    REGISTRAR = "registrar"
    """Whoever keeps the directory."""
    OPERATOR = "operator"
    """Whoever runs the bus."""
    USER = "user"
    """Whoever runs the program that says so."""
    NOBODY = "nobody"
    """Nothing is wrong: it is so, or somebody was first."""


class Code(StrEnum):
    """What went wrong."""

    # What the bytes are.
    NULL_VALUE = "null-value"
    """The record has no value."""
    OVERSIZE = "oversize"
    """More bytes than the limit allows."""
    MALFORMED_RECORD = "malformed-record"
    """The record cannot be read at all."""
    MALFORMED_JSON = "malformed-json"
    """Not JSON, or not as the wire allows it."""
    NOT_CANONICAL = "not-canonical"
    """The right members, but not in the one spelling."""
    MALFORMED_ENVELOPE = "malformed-envelope"
    """A member too many, too few, or of another form."""
    MALFORMED_VALUE = "malformed-value"
    """A single value in another form than its own."""
    UNKNOWN_TYPE = "unknown-type"
    """No such verb."""
    UNKNOWN_VERSION = "unknown-version"
    """A version of the wire that is not spoken here, or not now."""
    MISSING_HEADER = "missing-header"
    """A record header is missing or empty."""
    UNEXPECTED_HEADER = "unexpected-header"
    """A record header too many."""
    WRONG_BUS = "wrong-bus"
    """Meant for another bus."""
    UNDELIVERABLE = "undeliverable"
    """What follows from the record cannot be written."""

    # Who said it.
    BAD_SIGNATURE = "bad-signature"
    """The signature is not this key's over these bytes."""
    MALFORMED_SIGNATURE = "malformed-signature"
    """Not a signature in the one form for this kind of thing."""
    UNKNOWN_SENDER = "unknown-sender"
    """The directory has no such agency."""
    UNKNOWN_KEY = "unknown-key"
    """The agency has no such key."""
    KEY_NOT_VALID = "key-not-valid"
    """The key is not valid yet, not valid any more, or revoked."""
    WEAK_KEY = "weak-key"
    """A key that does not bind its owner."""
    MALFORMED_KEY = "malformed-key"
    """Not the one encoding of a key, or not under its own id."""

    # When and where it came.
    OUTSIDE_WINDOW = "outside-window"
    """Signed too long before, or after, the broker stamped it."""
    WRONG_PARTITION = "wrong-partition"
    """The record's key or partition is not the case's."""
    DUPLICATE = "duplicate"
    """The same bytes came before; the verdict tells what was decided then."""
    ID_REUSED = "id-reused"
    """The id was used for other bytes; the verdict names them."""
    TOO_MANY = "too-many"
    """More events or hand-offs in one case than the limit."""

    # To whom it goes.
    UNKNOWN_RECIPIENT = "unknown-recipient"
    """The directory has no such address on the bus."""
    REPEATED_RECIPIENT = "repeated-recipient"
    """One address twice."""
    WRONG_RECIPIENTS = "wrong-recipients"
    """Not the recipients that this verb has at this point."""
    RECIPIENTS_APART = "recipients-apart"
    """The recipients may not know of each other."""
    NOT_PERMITTED = "not-permitted"
    """Policy does not let the sender say this, or not to this recipient."""
    WRONG_READERS = "wrong-readers"
    """A section is sealed to somebody or some key that may not read it, or a recipient is left out."""
    CLOCK_MISSING = "clock-missing"
    """The verb needs a section for the deadline watcher."""

    # What may follow what.
    AGENCY_ENDED = "agency-ended"
    """The sender's agency has ended; its successors speak for it."""
    WRONG_SUBJECT = "wrong-subject"
    """The case is not named after the event that opens it."""
    WRONG_EXERCISE = "wrong-exercise"
    """Said as an exercise in a case that is none, or in earnest in an exercise."""
    NOT_FOUND = "not-found"
    """No such case or hand-off, or none of the sender's."""
    ILLEGAL_TRANSITION = "illegal-transition"
    """Not at this point of the case or hand-off."""
    STALE_HEAD = "stale-head"
    """Something else moved the case or hand-off first."""
    WRONG_PARTY = "wrong-party"
    """Not for this side to say."""
    OPEN_HANDOFFS = "open-handoffs"
    """The case cannot be closed while somebody still has to act."""
    ARCHIVED = "archived"
    """The case is closed and put away."""
    ACCEPTED = "accepted"
    """The event stands."""

    # Sealed sections.
    WRONG_COMMITMENT = "wrong-commitment"
    """The section does not open at this place, or was changed."""
    NOT_A_READER = "not-a-reader"
    """The section is not sealed to this key at this address."""
    UNSEALABLE = "unsealable"
    """Nothing can be sealed to such readers or keys."""
    MALFORMED_SECTION = "malformed-section"
    """The section opens, and what is in it has another form."""
    UNKNOWN_SCHEMA = "unknown-schema"
    """A form that this program does not know."""
    WRONG_DOCUMENT = "wrong-document"
    """A document is not the one that its reference means."""
    CLOCK_DIFFERS = "clock-differs"
    """What an event tells the deadline watcher is not what its form says."""

    # Directory.
    DIRECTORY_EXPIRED = "directory-expired"
    """The directory's head is past its time."""
    DIRECTORY_BEHIND = "directory-behind"
    """The directory has not been read to its end lately."""
    DIRECTORY_MISSING = "directory-missing"
    """There is no directory yet."""
    DIRECTORY_FORKED = "directory-forked"
    """Two directories of one version, or one that does not follow the last."""
    DIRECTORY_STALE = "directory-stale"
    """An older directory than the one in use."""
    DIRECTORY_ROOT = "directory-root"
    """The entries are not those that the head was signed over."""
    NOT_ENOUGH_SIGNATURES = "not-enough-signatures"
    """Too few root keys signed the head."""
    MISSING_PROOF = "missing-proof"
    """A key that nobody has shown to possess."""
    REPEATED_KEY = "repeated-key"
    """One key in two places."""
    ENTRY_VANISHED = "entry-vanished"
    """An entry, its keys or the policy would be lost."""
    OWN_KEY_CHANGED = "own-key-changed"
    """The directory lists a key for this agency that it does not hold, or has ended one that it uses."""

    # Decisions, as a receiver checks them.
    BAD_DECISION = "bad-decision"
    """Not stated by the router, or not in the one spelling."""
    COUNTER_GAP = "counter-gap"
    """A delivery is missing between two."""

    # The log.
    BAD_NOTE = "bad-note"
    """Not a signed note."""
    BAD_CHECKPOINT = "bad-checkpoint"
    """A note that is no checkpoint of this log."""
    BAD_PROOF = "bad-proof"
    """A proof that does not lead to the root, or is none."""
    BAD_TILE = "bad-tile"
    """A part of the published tree that is not under its root."""
    LOG_FORK = "log-fork"
    """Two states of the log of which neither continues the other."""
    LOG_ROLLBACK = "log-rollback"
    """A state of the log smaller than one that it had before."""
    LOG_GAP = "log-gap"
    """A decision is missing between two of the ledger."""
    LEDGER_ROLLED_BACK = "ledger-rolled-back"
    """The ledger ends before, or is not, what the log has of it."""
    LOG_BUSY = "log-busy"
    """Another process writes the log."""
    LOG_AWAY = "log-away"
    """The log does not answer, or does not have yet what it is asked for; or none is known."""
    RECEIPT_MISSING = "receipt-missing"
    """The log does not show in time what a signed verdict promises to be in it."""

    # Trails and evidence bundles.
    BAD_BUNDLE = "bad-bundle"
    """An evidence bundle that is not as it was made."""
    BAD_TRAIL = "bad-trail"
    """What a trail tells does not follow from the leaves that are shown."""
    MISSING_ERASURE = "missing-erasure"
    """A record's bytes are gone, and the log has no erasure of it."""

    # Erasing.
    NOT_ERASABLE = "not-erasable"
    """A deadline, a change of the directory or a statement of the log: these are kept."""
    CASE_OPEN = "case-open"
    """The case is not closed."""
    HELD = "held"
    """The registrar or an auditor has forbidden to erase anything of the case."""
    TOO_EARLY = "too-early"
    """The time to wait is not over."""

    # A process and its surroundings.
    BROKER_AWAY = "broker-away"
    """Kafka does not answer."""
    NOT_AUTHORISED = "not-authorised"
    """The broker does not let this certificate do that."""
    BAD_CERTIFICATE = "bad-certificate"
    """The certificate, its key or the authority is missing, or cannot be used."""
    TOPIC_MISSING = "topic-missing"
    """A topic does not exist; for a sender or recipient, its inbox."""
    TOPIC_MISCONFIGURED = "topic-misconfigured"
    """A topic is not set up as it has to be."""
    POSITION_LOST = "position-lost"
    """What was to be read next is gone."""
    POSITION_MISSING = "position-missing"
    """There is state, and no record of how far it goes."""
    STATE_FORMAT = "state-format"
    """A state record of another format."""
    WRONG_STATE_KEY = "wrong-state-key"
    """The state was written under another key, or for another place."""
    CLOCK_BEHIND = "clock-behind"
    """The broker's stamp is ahead of this machine's clock."""
    TIMED_OUT = "timed-out"
    """No answer in time."""
    LOOSE_PERMISSIONS = "loose-permissions"
    """Others may read the file."""
    NO_SUCH_FILE = "no-such-file"
    """There is no such file."""
    FILE_EXISTS = "file-exists"
    """There is such a file already."""
    STORE_BUSY = "store-busy"
    """Another process uses the store."""
    BAD_LOG_POLICY = "bad-log-policy"
    """A policy of logs and witnesses that cannot be used."""
    STORE_AWAY = "store-away"
    """The database, or the disk, does not do what it is asked."""
    DISK_FULL = "disk-full"
    """There is no room left where it has to be written."""
    READ_ONLY = "read-only"
    """It may not be written, or cannot be."""
    INCOMPLETE_INPUT = "incomplete-input"
    """Something that is needed was not given."""
    MALFORMED_PACK = "malformed-pack"
    """A pack of rules or a calendar that cannot be used."""
    INTERNAL = "internal"
    """A mistake of this program."""


_OTHERS_TO_BLAME: Final[dict[Blame, tuple[Code, ...]]] = {
    Blame.REGISTRAR: (
        Code.DIRECTORY_EXPIRED,
        Code.DIRECTORY_MISSING,
        Code.DIRECTORY_FORKED,
        Code.DIRECTORY_STALE,
        Code.DIRECTORY_ROOT,
        Code.NOT_ENOUGH_SIGNATURES,
        Code.MISSING_PROOF,
        Code.REPEATED_KEY,
        Code.ENTRY_VANISHED,
        Code.OWN_KEY_CHANGED,
    ),
    Blame.OPERATOR: (
        Code.UNDELIVERABLE,
        Code.DIRECTORY_BEHIND,
        Code.BAD_DECISION,
        Code.COUNTER_GAP,
        Code.MISSING_ERASURE,
        Code.BAD_NOTE,
        Code.BAD_CHECKPOINT,
        Code.BAD_PROOF,
        Code.BAD_TILE,
        Code.LOG_AWAY,
        Code.RECEIPT_MISSING,
        Code.LOG_FORK,
        Code.LOG_ROLLBACK,
        Code.LOG_GAP,
        Code.LEDGER_ROLLED_BACK,
        Code.LOG_BUSY,
        Code.STORE_AWAY,
        Code.DISK_FULL,
        Code.READ_ONLY,
        Code.BROKER_AWAY,
        Code.NOT_AUTHORISED,
        Code.TOPIC_MISSING,
        Code.TOPIC_MISCONFIGURED,
        Code.POSITION_LOST,
        Code.POSITION_MISSING,
        Code.STATE_FORMAT,
        Code.WRONG_STATE_KEY,
        Code.CLOCK_BEHIND,
        Code.TIMED_OUT,
        Code.INTERNAL,
    ),
    Blame.USER: (
        Code.NOT_A_READER,
        Code.UNKNOWN_SCHEMA,
        Code.LOOSE_PERMISSIONS,
        Code.BAD_CERTIFICATE,
        Code.NO_SUCH_FILE,
        Code.FILE_EXISTS,
        Code.STORE_BUSY,
        Code.BAD_LOG_POLICY,
        Code.INCOMPLETE_INPUT,
        Code.MALFORMED_PACK,
    ),
    Blame.NOBODY: (
        Code.DUPLICATE,
        Code.STALE_HEAD,
        Code.OPEN_HANDOFFS,
        Code.CASE_OPEN,
        Code.HELD,
        Code.TOO_EARLY,
        Code.ARCHIVED,
        Code.ACCEPTED,
    ),
}
BLAME: Final[dict[Code, Blame]] = dict.fromkeys(Code, Blame.SENDER) | {
    code: blame for blame, codes in _OTHERS_TO_BLAME.items() for code in codes
}
"""Whose it is to change something. Most codes answer an event, and are its sender's."""

HINTS: Final[dict[Code, str]] = {
    Code.NOT_CANONICAL: "write the envelope in RFC 8785 form: sorted keys, no white space, every key once",
    Code.OUTSIDE_WINDOW: "set the clock by the offset in the verdict, sign the event again under the same id",
    Code.WRONG_PARTITION: "use the case pseudonym as record key and partition by murmur2, as Kafka's own clients do",
    Code.ID_REUSED: "an id belongs to one event for ever; send other bytes under a new id",
    Code.TOO_MANY: "too many events of one sender on one case within the window; slow down",
    Code.RECIPIENTS_APART: "these recipients may not know of each other: send each an event of its own",
    Code.WRONG_READERS: "seal every section to recipients or the sender, with keys that the directory lists as valid",
    Code.CLOCK_MISSING: "seal one section to the watcher that tells which clocks this event starts or stops",
    Code.CLOCK_DIFFERS: "ask its sender; if the clock is this agency's, dispute it: referral-bus clocks dispute",
    Code.AGENCY_ENDED: "its successor has to say it: referral-bus directory show AGENCY",
    Code.WRONG_EXERCISE: "an exercise has a case of its own; set `exercise` as the event did that opened the case",
    Code.ILLEGAL_TRANSITION: "read its state; a duty is forwarded, a request is declined or returned",
    Code.STALE_HEAD: "something moved this hand-off first; read its state and decide again",
    Code.NOT_FOUND: "there is no such case or hand-off that you are a party of",
    Code.OPEN_HANDOFFS: "close, withdraw, cancel or wait for the open hand-offs first",
    Code.ARCHIVED: "the case is closed and archived; its owner can reopen it",
    Code.DIRECTORY_EXPIRED: "the registrars have to renew it: referral-bus directory renew, --propose if several sign",
    Code.OWN_KEY_CHANGED: "if nobody here changed keys, telephone the registrars: referral-bus directory mine",
    Code.WRONG_STATE_KEY: "give the service the key file that its state was written with",
    Code.LOOSE_PERMISSIONS: "make the file readable by its owner alone: chmod 600",
    Code.MALFORMED_PACK: "referral-bus rules check FILE tells all that is wrong, by rule and field",
    Code.LOG_AWAY: "check log in bus.toml and log.policy; receipts are asked for again, and nothing waits for them",
    Code.RECEIPT_MISSING: "keep the store, the verdict in it is the evidence; ask the log's operator, then the others",
    Code.LOG_FORK: "keep both checkpoints, they are the evidence; tell the other agencies and the log's operator",
    Code.LOG_ROLLBACK: "keep both checkpoints, they are the evidence; tell the other agencies and the log's operator",
    Code.LOG_GAP: "the ledger was cut, or read past its end: stop, and compare it with a copy; see the runbook",
    Code.LEDGER_ROLLED_BACK: "the ledger was put back or made anew: the log keeps what it has; see the runbook",
    Code.LOG_BUSY: "one process writes a log: end the other one, or wait until it has ended",
    Code.DISK_FULL: "make room: what was taken from the ledger is safe, and the rest waits there",
    Code.BAD_BUNDLE: "keep this file, and ask whoever made it for the bundle once more",
    Code.CASE_OPEN: "its owner has to close it first",
    Code.HELD: "whoever holds it has to lift that first; the trail of the case tells who does",
    Code.TOO_EARLY: "run it again when the time has come; a request need not be made anew",
    Code.BROKER_AWAY: "check the address and that Kafka runs; what is in the outbox stays there",
    Code.NOT_AUTHORISED: "whoever runs the bus has to put its access rules in force: deploy/provision.py --apply",
    Code.BAD_CERTIFICATE: "name files that can be read: REFERRAL_BUS_TLS_CERTIFICATE and REFERRAL_BUS_TLS_CA",
}
"""What the one to blame can do. A code without a hint says enough by its name."""


def hint(code: Code) -> str:
    """Return the advice that goes with *code*, or an empty string."""
    return HINTS.get(code, "")
