"""
What the log itself states beside a case: who read its trail, what was erased, by whom.

A statement is RFC 8785 JSON with ``at`` and ``kind``; what else it says is shown as it stands. One of its signers is
the log; that an erasure is wanted, or held back, agencies sign. An ``erased`` names the ``leaves`` whose bytes are
gone, and carries the request, which takes two agencies: see `log.erasing`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.directory import Directory, EventKey
from referral_contracts.encoding import jcs, parse_json, parse_time
from referral_contracts.errors import RemoteError
from referral_contracts.keys import VerifyKey
from referral_contracts.log.access import ACCESSED, check_access
from referral_contracts.log.erasing import ASKED, ERASED, HOLD, LIFTED, check_asked, check_erased, check_hold
from referral_contracts.log.leaf import Statement
from referral_contracts.log.signers import own_keys
from referral_contracts.trail.leaves import TrailLeaf
from referral_contracts.trail.model import Fault, Kind, Row

_NOT_SHOWN: Final = frozenset({"at", "kind", "request", "subject"})
"""The request is a statement of its own, and is shown as such."""
_SHOWN_OF_A_READ: Final = ("asked", "by")


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

    def check(self, index: int, statement: Statement) -> tuple[str, str, object]:
        """
        Return when, of what kind and of which case the *statement* in the leaf *index* is; it is by whom it has to be.

        Raises:
            RemoteError: It is not, or it is no statement.
        """
        told = _read(statement.value)
        at, kind = str(told["at"]), str(told["kind"])
        self._check(index, statement, parse_time(at), kind)
        return at, kind, told.get("subject")

    def _take(self, index: int, statement: Statement) -> None:
        self._rows[index] = Row(index=index, kind=Kind.STATEMENT)
        try:
            told = _read(statement.value)
            at, kind = str(told["at"]), str(told["kind"])
            erased = self._check(index, statement, parse_time(at), kind)
        except RemoteError as error:
            fault = Fault(code=error.code, index=index, detail=error.detail or "a statement that cannot be relied on")
            self._faults[index] = [fault]
            return
        shown = {name: _text(value) for name, value in sorted(_shown(told, kind).items())}
        self._rows[index] = Row(index=index, kind=Kind.STATEMENT, at=at, statement=kind, told=shown)
        self._erasures.update(dict.fromkeys(erased, index))

    def _check(self, index: int, statement: Statement, at_ms: int, kind: str) -> Sequence[int]:
        """Return the leaves that were erased by *statement*, which is found to be by whom it has to be."""
        if kind == ERASED:
            return check_erased(index, statement, self._directory).leaves
        if kind == ASKED:
            check_asked(statement, self._directory)
        elif kind in {HOLD, LIFTED}:
            check_hold(statement, self._directory)
        elif kind == ACCESSED:
            check_access(statement, self._directory.head.bus, own_keys(self._directory))
        else:
            self._check_own(statement, at_ms)
        return ()

    def _check_own(self, statement: Statement, at_ms: int) -> None:
        own, others = self._keys()

        def find(kid: str) -> VerifyKey | None:
            found = own.get(kid) or others.get(kid)
            return None if found is None else found.key

        kids = statement.signers(find)
        if any(not (own.get(kid) or others[kid]).valid(at_ms) for kid in kids):
            raise RemoteError(Code.KEY_NOT_VALID, "stated with a key that was not valid then")
        if not own.keys() & set(kids):
            raise RemoteError(Code.WRONG_PARTY, "a statement that the log did not sign")

    def _keys(self) -> tuple[Mapping[str, EventKey], Mapping[str, EventKey]]:
        """Return the log's own keys, and those by which agencies sign."""
        members = [member for name in self._directory.entries if (member := self._directory.member(name)) is not None]
        return own_keys(self._directory), {kid: key for member in members for kid, key in member.event_keys.items()}


def _read(value: bytes) -> Mapping[str, object]:
    told = parse_json(value)
    if not isinstance(told, dict) or jcs(told) != value or not {"at", "kind"} <= told.keys():
        raise RemoteError(Code.MALFORMED_RECORD, "not a statement of the log")
    return told


def _shown(told: Mapping[str, object], kind: str) -> Mapping[str, object]:
    if kind != ACCESSED:
        return {name: value for name, value in told.items() if name not in _NOT_SHOWN}
    grant = told.get("grant")
    # By which hash a grant names its case, and since when it is one, tells a reader nothing.
    granted = {"purpose": grant["purpose"], "until": grant["valid_until"]} if isinstance(grant, dict) else {}
    return {**{name: told[name] for name in _SHOWN_OF_A_READ}, **granted}


def _text(value: object) -> str:
    return value if isinstance(value, str) else jcs(value).decode()
