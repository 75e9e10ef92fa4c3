"""Who signed a statement: the log by its own keys, or agencies by those that they sign events with."""

from collections.abc import Mapping

from referral_contracts.codes import Code
from referral_contracts.directory import Directory, EventKey
from referral_contracts.directory_model import ROLE_LOG
from referral_contracts.errors import RemoteError
from referral_contracts.keys import VerifyKey
from referral_contracts.log.leaf import Statement


def own_keys(directory: Directory) -> Mapping[str, EventKey]:
    """Return the log's own keys, valid or not."""
    name = directory.service(ROLE_LOG)
    member = None if name is None else directory.member(name)
    return {} if member is None else member.log_keys


def check_signers(statement: Statement, keys: Mapping[str, EventKey], *times_ms: int) -> tuple[str, ...]:
    """
    Return the ids of those of *keys* that signed *statement*; there is one, and all were valid at all *times_ms*.

    Raises:
        RemoteError: NOT_ENOUGH_SIGNATURES, KEY_NOT_VALID, or as `Statement.signers`.
    """

    def find(kid: str) -> VerifyKey | None:
        found = keys.get(kid)
        return None if found is None else found.key

    kids = statement.signers(find)
    if not kids:
        raise RemoteError(Code.NOT_ENOUGH_SIGNATURES, "a statement that nobody signed")
    if not all(keys[kid].valid(at_ms) for kid in kids for at_ms in times_ms):
        raise RemoteError(Code.KEY_NOT_VALID, "stated with a key that was not valid then")
    return kids
