"""
What the log itself states beside a case: who read its trail, what was erased, by whom.

A statement is RFC 8785 JSON with ``at`` and ``kind``; what else it says is shown as it stands. One of its signers is
the log. An ``erased`` names the ``leaves`` whose bytes are gone, and takes two signers.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.directory import Directory, EventKey
from referral_contracts.directory_model import ROLE_LOG
from referral_contracts.encoding import jcs, parse_json, parse_time
from referral_contracts.errors import RemoteError
from referral_contracts.keys import VerifyKey
from referral_contracts.log.leaf import MAX_SIGNERS, Statement
from referral_contracts.trail.leaves import TrailLeaf
from referral_contracts.trail.model import Fault, Kind, Row

ERASED: Final = "erased"


class Statements:
    """The statements among the leaves of a trail."""

    def __init__(self, directory: Directory, leaves: Sequence[TrailLeaf]) -> None:
        """Read them, by the keys in *directory*."""
        self._directory = directory
        self._rows: dict[int, Row] = {}
        self._faults: dict[int, list[Fault]] = {}
        self._erasures: dict[int, int] = {}
        for leaf in leaves:
            if isinstance(leaf.record, Statement):
                self._take(leaf.index, leaf.record)

    def row(self, index: int) -> tuple[Row, Sequence[Fault]]:
        """Return the statement in the leaf *index*, and what is wrong with it."""
        return self._rows[index], self._faults.get(index, ())

    def erasure(self, index: int) -> int | None:
        """Return the leaf of the statement that the bytes of the leaf *index* were erased."""
        return self._erasures.get(index)

    def _take(self, index: int, statement: Statement) -> None:
        self._rows[index] = Row(index=index, kind=Kind.STATEMENT)
        try:
            told = _read(statement.value)
            at, kind = str(told["at"]), str(told["kind"])
            self._check(statement, parse_time(at), kind)
        except RemoteError as error:
            fault = Fault(code=error.code, index=index, detail=error.detail or "a statement that cannot be relied on")
            self._faults[index] = [fault]
            return
        shown = {name: _text(value) for name, value in sorted(told.items()) if name not in {"at", "kind", "subject"}}
        self._rows[index] = Row(index=index, kind=Kind.STATEMENT, at=at, statement=kind, told=shown)
        leaves = told.get("leaves")
        if kind == ERASED and isinstance(leaves, list):
            self._erasures.update((leaf, index) for leaf in leaves if isinstance(leaf, int) and leaf < index)

    def _check(self, statement: Statement, at_ms: int, kind: str) -> None:
        own, others = self._keys()

        def find(kid: str) -> VerifyKey | None:
            found = own.get(kid) or others.get(kid)
            return None if found is None else found.key

        kids = statement.signers(find)
        if any(not (own.get(kid) or others[kid]).valid(at_ms) for kid in kids):
            raise RemoteError(Code.KEY_NOT_VALID, "stated with a key that was not valid then")
        if not own.keys() & set(kids):
            raise RemoteError(Code.WRONG_PARTY, "a statement that the log did not sign")
        if kind == ERASED and len(kids) < MAX_SIGNERS:
            raise RemoteError(Code.NOT_ENOUGH_SIGNATURES, "an erasure takes two")

    def _keys(self) -> tuple[Mapping[str, EventKey], Mapping[str, EventKey]]:
        """Return the log's own keys, and those by which agencies sign."""
        members = [member for name in self._directory.entries if (member := self._directory.member(name)) is not None]
        own = {kid: key for member in members if ROLE_LOG in member.roles for kid, key in member.log_keys.items()}
        return own, {kid: key for member in members for kid, key in member.event_keys.items()}


def _read(value: bytes) -> Mapping[str, object]:
    told = parse_json(value)
    if not isinstance(told, dict) or jcs(told) != value or not {"at", "kind"} <= told.keys():
        raise RemoteError(Code.MALFORMED_RECORD, "not a statement of the log")
    return told


def _text(value: object) -> str:
    return value if isinstance(value, str) else jcs(value).decode()
