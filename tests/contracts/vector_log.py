"""The vectors of the log, tried."""

from collections.abc import Callable, Mapping
from typing import Any

from referral_contracts import merkle
from referral_contracts.directory import EventKey
from referral_contracts.encoding import b64, parse_time, unb64
from referral_contracts.keys import VerifyKey
from referral_contracts.log import leaf as leaves
from referral_contracts.log.access import check_access
from referral_contracts.log.checkpoint import Checkpoint, open_checkpoint, verify_cosignature
from referral_contracts.log.note import NoteKey, parse_note, parse_signatures, write_note
from referral_contracts.log.policy import Policy
from referral_contracts.log.proof import Receipt, verify_receipt
from referral_contracts.log.proofs import verify_consistency, verify_inclusion
from referral_contracts.log.tiles import tiles_for
from referral_contracts.log.witnessing import Conflict, Cosigned, Refused, judge, read_request
from tests.contracts.vector_life import octets

Given = Mapping[str, Any]


def leaf(given: Given) -> Given:
    record = octets(given["record"])
    assert leaves.read_record(record).record() == record
    entry = leaves.entry(unb64(given["salt"], leaves.SALT_SIZE), record)
    return {"entry": b64(entry), "leaf": b64(leaves.leaf(entry))}


def access(given: Given) -> Given:
    statement, key = leaves.read_record(octets(given["record"])), given["key"]
    assert isinstance(statement, leaves.Statement)
    start, end = parse_time(key["valid_from"]), parse_time(key["valid_until"])
    keys = {key["kid"]: EventKey(VerifyKey.load(unb64(key["public"])), start, end)}
    found = check_access(statement, given["bus"], keys)
    assert found.encode() == statement.value
    return {"by": found.by, "asked": found.asked.value, "subject": found.subject}


def tiles(given: Given) -> Given:
    paths = [tile.path for tile in tiles_for(given["old"], given["new"])]
    return {"paths": [*paths[:2], *paths[-6:]] if len(paths) > 8 else paths}


def inclusion(given: Given) -> Given:
    proof = [unb64(one) for one in given["proof"]]
    verify_inclusion(unb64(given["leaf"]), given["index"], given["size"], unb64(given["root"]), proof)
    return {}


def consistency(given: Given) -> Given:
    proof = [unb64(one) for one in given["proof"]]
    verify_consistency(given["old"], unb64(given["old_root"]), given["new"], unb64(given["new_root"]), proof)
    return {}


def key(given: Given) -> Given:
    found = NoteKey.parse(given["vkey"])
    assert found.vkey == given["vkey"]
    return {"key_id": found.key_id.hex(), "type": int(found.kind)}


def checkpoint(given: Given) -> Given:
    note = octets(given["note"])
    found = open_checkpoint(note, NoteKey.parse(given["vkey"]))
    assert write_note(*parse_note(note)) == note
    assert Checkpoint.parse(found.text()) == found
    return {"origin": found.origin, "size": found.size, "root": b64(found.root)}


def cosignature(given: Given) -> Given:
    (line,) = parse_signatures(octets(given["line"]).decode("utf-8", "replace") + "\n")
    return {"time": verify_cosignature(given["text"], line, NoteKey.parse(given["vkey"]))}


def policy(given: Given) -> Given:
    found = Policy.parse(octets(given["policy"]))
    assert Policy.parse(found.format()) == found
    checked = found.check(octets(given["note"]))
    return {"size": checked.checkpoint.size, "witnesses": [*checked.witnesses], "quorum": checked.quorum}


def receipt(given: Given) -> Given:
    value = octets(given["receipt"])
    found = Receipt.decode(value)
    assert found.encode() == value
    told = Policy.parse(octets(given["policy"]))
    proven = verify_receipt(found, octets(given["signature"]), octets(given["value"]), told)
    return {
        "index": proven.index,
        "decision": b64(merkle.leaf_hash(proven.entry.decision)),
        "size": proven.checkpoint.size,
        "witnessed": proven.witnessed,
    }


def request(given: Given) -> Given:
    known = NoteKey.parse(given["vkey"])
    last = None if given["last"] is None else open_checkpoint(octets(given["last"]), known)
    found = read_request(octets(given["body"]), {known.name: [known]})
    outcome = found if isinstance(found, Refused) else judge(found, last)
    match outcome:
        case Cosigned():
            return {"status": 200}
        case Conflict(size):
            assert size == (0 if last is None else last.size)
            return {"status": 409}
        case Refused(status):
            return {"status": status}


LOG_RUNNERS: Mapping[str, Callable[[Given], Given]] = {
    "log-access": access,
    "log-checkpoint": checkpoint,
    "log-consistency": consistency,
    "log-cosignature": cosignature,
    "log-inclusion": inclusion,
    "log-key": key,
    "log-leaf": leaf,
    "log-policy": policy,
    "log-receipt": receipt,
    "log-request": request,
    "log-tiles": tiles,
}
