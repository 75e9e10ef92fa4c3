"""
The tables of an agency's store.

No column holds what a section says: events lie here as they were sealed. Who deals with whom, about which pseudonym
and when is in the clear, as it is in the envelope.
"""

from typing import Final

FORMAT: Final = "13"
"""Written into the file; a store of another format is refused, never guessed at."""

TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- The next offset to read, by topic. It moves in the transaction that stores what was read.
CREATE TABLE positions (topic TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- The last good directory, as its records came.
CREATE TABLE directory (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;

CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    draft TEXT NOT NULL,            -- the draft it is a part of
    subject TEXT NOT NULL,
    verb TEXT NOT NULL,
    recipients TEXT NOT NULL,       -- addresses, a space between
    handoff TEXT,                   -- "opening recipient"
    exercise INTEGER NOT NULL,
    sealed BLOB,                    -- the envelope but for its time and what it answers; none for a receipt
    about TEXT,                     -- for a receipt: "code section" of what could not be read
    answers TEXT,                   -- id of what it answers
    answers_hash TEXT,              -- unknown while that one is ours and has no verdict
    follows TEXT,                   -- id of what ended the hand-off that it takes up
    follows_hash TEXT,              -- as above
    state TEXT NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0,
    code TEXT,
    attempt TEXT,                   -- hash of the bytes in force
    tries INTEGER NOT NULL DEFAULT 0,
    not_before_ms INTEGER NOT NULL DEFAULT 0,
    settled_by INTEGER              -- the verdict's offset in the inbox
) STRICT;
CREATE INDEX outbox_waiting ON outbox (seq) WHERE settled = 0;
CREATE INDEX outbox_case ON outbox (subject, seq);
CREATE INDEX outbox_draft ON outbox (draft);

-- Which entries wait for whose verdict.
CREATE TABLE dependencies (id TEXT NOT NULL, needs TEXT NOT NULL, PRIMARY KEY (id, needs)) STRICT, WITHOUT ROWID;
CREATE INDEX dependencies_needs ON dependencies (needs);

-- Every spelling of an event that may have reached Kafka.
CREATE TABLE attempts (
    hash TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    subject TEXT NOT NULL,
    value BLOB NOT NULL,
    signature BLOB NOT NULL,
    kid TEXT NOT NULL,
    first_ms INTEGER NOT NULL,      -- just before it was first handed over, by this machine's clock
    last_ms INTEGER NOT NULL,       -- the same, for the last time
    acked_ms INTEGER                -- just after the broker last had it
) STRICT;
CREATE INDEX attempts_id ON attempts (id);

-- The router's signed answers, kept as evidence.
CREATE TABLE verdicts (
    position INTEGER PRIMARY KEY,   -- offset in the inbox
    event TEXT NOT NULL,            -- hash of the bytes it is about
    leaf BLOB NOT NULL,
    path BLOB NOT NULL,
    root BLOB NOT NULL
) STRICT;
CREATE INDEX verdicts_event ON verdicts (event);

-- What the log owes us: the receipt of each decision on an event of ours that a verdict has told.
CREATE TABLE receipts (
    position INTEGER PRIMARY KEY,   -- of that verdict
    id TEXT NOT NULL,
    due_ms INTEGER NOT NULL,        -- when to ask for it, by this machine's clock
    tries INTEGER NOT NULL DEFAULT 0,
    asked_ms INTEGER,               -- when it was first asked for in vain
    alarmed INTEGER NOT NULL DEFAULT 0,
    receipt BLOB,                   -- the newest that was good
    witnessed INTEGER NOT NULL DEFAULT 0, -- 0: to be asked for; 1: by enough; 2: not, and no longer asked for
    wrong BLOB                      -- what came and proves nothing, as evidence
) STRICT;
CREATE INDEX receipts_due ON receipts (due_ms) WHERE witnessed = 0;
CREATE INDEX receipts_id ON receipts (id);

-- A delivery is its bytes: a sender may have used an id of its own for others before.
CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    hash TEXT NOT NULL,
    position INTEGER NOT NULL,
    value BLOB NOT NULL,
    signature BLOB NOT NULL,
    leaf BLOB NOT NULL,
    path BLOB NOT NULL,
    root BLOB NOT NULL,
    handed INTEGER NOT NULL DEFAULT 0,
    acked INTEGER NOT NULL DEFAULT 0,
    UNIQUE (hash, recipient)
) STRICT;
CREATE INDEX inbox_id ON inbox (id);
CREATE INDEX inbox_unacknowledged ON inbox (seq) WHERE acked = 0;

-- Which deliveries name an event as one that they correct. Whether it is theirs to correct is another question.
CREATE TABLE corrections (seq INTEGER PRIMARY KEY, superseded TEXT NOT NULL) STRICT;
CREATE INDEX corrections_superseded ON corrections (superseded);

-- How many deliveries of a case each of our addresses has had, since it was last restored from the archive.
CREATE TABLE counters (
    subject TEXT NOT NULL,
    recipient TEXT NOT NULL,
    restored INTEGER NOT NULL,      -- how often the case was, when the last one came
    counter INTEGER NOT NULL,
    PRIMARY KEY (subject, recipient)
) STRICT, WITHOUT ROWID;

CREATE TABLE cases (
    subject TEXT PRIMARY KEY,
    exercise INTEGER NOT NULL,
    owned INTEGER NOT NULL,
    state TEXT,
    head_id TEXT,
    head_hash TEXT,
    offered_by TEXT,                -- who offers us the case
    offered_to TEXT                 -- whom we offered it to, and who has not answered
) STRICT, WITHOUT ROWID;

-- Ids are their senders' own: what one agency opens in a case may have the id of what another opens in another case.
CREATE TABLE handoffs (
    opening TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    opened_by TEXT NOT NULL,
    opened_in TEXT,                 -- hash of the event that opened it, where that was told
    opened_with TEXT,               -- unknown where only a verdict told of it
    sender TEXT NOT NULL,           -- who stands on either side: as it was opened, or moved since
    holder TEXT NOT NULL,
    moved_in TEXT,                  -- the event that moved a side of it to us
    state TEXT NOT NULL,
    head_id TEXT NOT NULL,
    head_hash TEXT NOT NULL,
    receipt TEXT NOT NULL,
    forwarded_from TEXT,            -- the hand-off that this one relieves once it is received
    follows_id TEXT,                -- what ended the hand-off that this one takes up
    follows_hash TEXT,
    followed TEXT,                  -- that hand-off, where it is known here
    admitted_ms INTEGER NOT NULL,
    PRIMARY KEY (opening, recipient, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX handoffs_case ON handoffs (subject);

-- Events that tie a case to others, or take that back, in the order of the decisions. What they say stays sealed.
CREATE TABLE links (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    own INTEGER NOT NULL,
    admitted_ms INTEGER NOT NULL
) STRICT;

-- Records of our inbox that are nothing we can use, as they came. Of those that anybody may have written, only the
-- last hundred; what the router delivered, until it is understood or its sender's key is in order.
CREATE TABLE garbage (
    position INTEGER PRIMARY KEY,
    delivered INTEGER NOT NULL,
    code TEXT NOT NULL,
    value BLOB,
    headers TEXT NOT NULL
) STRICT;

-- One row for each code and case: a flood of garbage is one alarm with a large count.
CREATE TABLE alarms (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    position INTEGER,
    detail TEXT NOT NULL,
    UNIQUE (code, subject)
) STRICT;
"""
