"""
The kinds of vectors: what each is about and which members it has.

SPEC section 20 is made from this table, and the tests hold every vector to it.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a kind of vector tries."""

    about: str
    given: tuple[str, ...]
    comes: tuple[str, ...] = ()
    """What has to come of it; there when the vector is valid."""


KINDS: Final = {
    "base64url": Kind(about="decode `text`, of `size` bytes unless null", given=("text", "size"), comes=("bytes",)),
    "body": Kind(
        about="read a section's `plaintext`; `unknown` are the paths of fields kept as they came",
        given=("plaintext",),
        comes=("schema", "unknown"),
    ),
    "case-step": Kind(about="section 9, case", given=("state", "verb", "part"), comes=("after",)),
    "certainty": Kind(
        about="section 8: what a person is told of how certain the form `schema` is: its `status`, the places that it "
        "rests on with how each is known, and which of its fields are provisional, ascending",
        given=("schema",),
        comes=("status", "basis", "provisional"),
    ),
    "change": Kind(
        about="decode the directory change `value` and apply it after those of `before`",
        given=("trust_root", "before", "value"),
        comes=("version", "root"),
    ),
    "claim": Kind(
        about="whose word the body in `plaintext`, told by `source`, claims to be; null where it is nobody else's",
        given=("source", "plaintext"),
        comes=("claim",),
    ),
    "clock-bounds": Kind(
        about="hear a `clock` section with so many triggers `more`, by who `told` so many of the case before",
        given=("told", "more"),
    ),
    "clock-compared": Kind(
        about="hold the triggers `told` to the watcher against those `derived` from the forms that one reads; `whole`: "
        "these are all that was said, and of no hand-off. Then they have to be the same, else none may be left out, of "
        "the same name and agency",
        given=("told", "derived", "whole"),
    ),
    "clock-links": Kind(
        about="the clock section that goes with the link or unlinking in `plaintext`",
        given=("plaintext",),
        comes=("clock",),
    ),
    "clock-name": Kind(
        about="section 21, the name of a clock", given=("bus", "subject", "rule", "scope", "cycle"), comes=("clock",)
    ),
    "correction": Kind(
        about="what the correction `value` is to who holds the events `held`: `held`, `not-held`, or `elsewhere`, "
        "which is not its sender's to correct there",
        given=("held", "value"),
        comes=("corrects",),
    ),
    "decision": Kind(about="read a decision", given=("leaf",), comes=("hash",)),
    "delivery": Kind(about="read a delivery", given=("leaf",), comes=("hash",)),
    "directory": Kind(
        about="put `entries`, the last value of each key, under the signed `head`, in place of the head `in_use` "
        "unless null, and use it `at` a time",
        given=("trust_root", "entries", "head", "in_use", "at"),
        comes=("version",),
    ),
    "disclosed-section": Kind(
        about="open `section` with a disclosed content key", given=("section", "context", "cek"), comes=("plaintext",)
    ),
    "document": Kind(
        about="open the file `stored` as the document that `reference` means",
        given=("reference", "stored"),
        comes=("document",),
    ),
    "due": Kind(
        about="section 21: until when what began at `start` is in time, by the `days` of a calendar; in `paused` the "
        "clock stood still, `lost` are outages; `calendar` is its version",
        given=("start", "limit", "counting", "announced", "days", "paused", "lost"),
        comes=("due_at", "late_after", "provisional", "calendar"),
    ),
    "due-told": Kind(
        about="the same of a clock whose `starts` were told one after the other: of each, when it was and when it was "
        "admitted; `settle` is in milliseconds",
        given=("starts", "settle", "limit", "counting", "announced", "days", "paused", "lost"),
        comes=("due_at", "late_after"),
    ),
    "entry": Kind(about="decode a directory entry", given=("value",)),
    "envelope": Kind(about="decode an envelope; `event` is its hash", given=("value",), comes=("verb", "event")),
    "handoff-step": Kind(about="section 9, hand-off", given=("state", "verb", "part"), comes=("after",)),
    "head-signatures": Kind(about="check the signatures of a signed head", given=("trust_root", "head")),
    "inbox": Kind(
        about="check the deliveries to `address` in the order of `records`, by section 14 to step 9: each names a "
        "record of the vector `story`, or is one; `events` are those that it had not had",
        given=("story", "address", "records"),
        comes=("events",),
    ),
    "json": Kind(about="read JSON that need not be canonical, and write it so", given=("bytes",), comes=("canonical",)),
    "length-prefix": Kind(about="lp(`parts`)", given=("parts",), comes=("bytes",)),
    "life": Kind(
        about="section 1, whole: a directory, everybody's keys, what they submit, and what the bus makes of it",
        given=("bus", "partitions", "trust_root", "keys", "change", "submissions"),
        comes=("records",),
    ),
    "log-access": Kind(
        about="read the statement of a read in `record`, of the log of `bus` whose key, of the directory, is `key`",
        given=("record", "bus", "key"),
        comes=("by", "asked", "subject"),
    ),
    "log-checkpoint": Kind(
        about="open the `note` as a checkpoint of the log with the key `vkey`",
        given=("vkey", "note"),
        comes=("origin", "size", "root"),
    ),
    "log-consistency": Kind(
        about="check that the `new` tree begins with all of the `old` one",
        given=("old", "old_root", "new", "new_root", "proof"),
    ),
    "log-cosignature": Kind(
        about="check that the `line` is the witness' cosignature of the checkpoint `text`; `time` in seconds",
        given=("text", "vkey", "line"),
        comes=("time",),
    ),
    "log-inclusion": Kind(
        about="check that the hash `leaf` is number `index` of `size`", given=("leaf", "index", "size", "root", "proof")
    ),
    "log-key": Kind(about="parse a `vkey`; `type` is its signatures'", given=("vkey",), comes=("key_id", "type")),
    "log-leaf": Kind(
        about="read a `record`, and make its entry and the leaf's hash",
        given=("record", "salt"),
        comes=("entry", "leaf"),
    ),
    "log-policy": Kind(
        about="who of the witnesses of a policy cosigned the checkpoint `note`, and whether they are a quorum",
        given=("policy", "note"),
        comes=("size", "witnesses", "quorum"),
    ),
    "log-receipt": Kind(
        about="check a receipt for the event `value` with the header `signature`; `decision` is the hash of its leaf",
        given=("receipt", "signature", "value", "policy"),
        comes=("index", "decision", "size", "witnessed"),
    ),
    "log-request": Kind(
        about="answer, as a witness of the log `vkey` that has cosigned the checkpoint `last` (null: none), to `body`",
        given=("vkey", "body", "last"),
        comes=("status",),
    ),
    "log-tiles": Kind(
        about="the tiles that a growth writes, in their order; of more than eight the first two and the last six",
        given=("old", "new"),
        comes=("paths",),
    ),
    "merkle-path": Kind(about="check an inclusion path", given=("leaf_hash", "index", "size", "path", "root")),
    "merkle-tree": Kind(
        about="the root over `leaves`, and the path of each", given=("leaves",), comes=("root", "paths")
    ),
    "notice-id": Kind(
        about="the id of a notice of the deadline watcher; `about` is the clock, or the hash of what cannot be read",
        given=("bus", "subject", "about", "verb", "recipient", "level", "step"),
        comes=("id",),
    ),
    "partition": Kind(about="the partition of a case", given=("subject", "partitions"), comes=("partition",)),
    "policy": Kind(about="decode a policy", given=("value",)),
    "proof": Kind(
        about="check that the router signed `leaf`, by the headers `path` and `root`",
        given=("leaf", "path", "root", "bus", "partition", "public"),
    ),
    "pseudonym": Kind(about="name the case that an event opens", given=("bus", "source", "id"), comes=("subject",)),
    "recall": Kind(about="section 9, mistakes", given=("receipt", "state"), comes=("after",)),
    "receipt-step": Kind(about="section 9, receipts", given=("receipt", "verb"), comes=("after",)),
    "room": Kind(
        about="sections 12 (points 15, 20 and 22) and 17: whether the `speaker` (`owner`, `party`, `stranger` or "
        "`watcher`) can say `verb` to one recipient of its choice: whom it wrote to of its choice (`chosen`), whom "
        "others alone did (`known`), or `new` to the case. Used up within 3 W are `ids`: the speaker's `own` in the "
        "case, those of `all` parties, and `cases`, in how many of the partition by who is no party; of the "
        "`handoffs` those that it opened itself are its `own`, and of the `addresses` those that it chose",
        given=("speaker", "verb", "recipient", "ids", "handoffs", "addresses"),
    ),
    "sealing-key": Kind(about="admit a sealing key", given=("public",), comes=("kid",)),
    "section": Kind(
        about="open `section` as the reader `address` with the private key `secret`; `cek` is its content key",
        given=("section", "context", "address", "secret"),
        comes=("plaintext", "cek"),
    ),
    "signature": Kind(
        about="parse `text` as a signature with `typ`, and verify it with the key `public`; `seed` is the private key",
        given=("typ", "public", "text", "payload"),
        comes=("seed",),
    ),
    "signed-head": Kind(about="decode a signed head", given=("value",)),
    "signing-key": Kind(about="admit a signing key", given=("public",), comes=("kid",)),
    "submission": Kind(
        about="judge `submission`, after the first `after` of those of the vector `story` (who has keys there has an "
        "inbox); `records` are what the bus writes of it. Its sections are sealed to nobody: the bus cannot tell. Its "
        "`fault`, where it has one, is what whoever moves records found of this one",
        given=("story", "after", "submission", "records"),
    ),
    "succession": Kind(
        about="section 15, by the `entries`: who speaks `at` a time for the agency of `address`, where what is meant "
        "for `address` goes, and to whom what that agency has may be moved, ascending; null: nobody",
        given=("entries", "address", "at"),
        comes=("speaker", "reached", "takers"),
    ),
    "tick": Kind(about="what the watcher signs", given=("bus", "partition", "time"), comes=("bytes",)),
    "time": Kind(about="read a time, as milliseconds since 1970", given=("text",), comes=("ms",)),
    "trust-root": Kind(about="decode a trust root", given=("value",)),
    "verdict": Kind(about="read a verdict", given=("leaf",), comes=("hash",)),
}
