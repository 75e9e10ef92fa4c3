"""Reads as the log takes them: a statement for each case, found by the case and by who read. Pure."""

from audit_log.core.granting import Asker, Granted
from audit_log.core.reading import NO_PARTITION, About, Taken
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.encoding import b64, format_time, sha256
from referral_contracts.keys import SigningKey
from referral_contracts.log.access import ACCESSED, Access, Way
from referral_contracts.log.leaf import Statement


def accessed(
    asker: Asker,
    way: Way,
    subject: str | None,
    granted: Granted,
    *,
    request: bytes,
    directory: Directory,
    key: SigningKey,
    now_ms: int,
) -> Taken:
    """
    Return the statement that *asker* reads something of the case *subject*, signed with the log's *key*.

    Args:
        asker: Who asks.
        way: For what.
        subject: Of which case; None: of none, for the search found nothing of any.
        granted: What `judge` said of this case.
        request: What the request's signature is over.
        directory: By which it was judged.
        key: The log's own.
        now_ms: The moment of which it was judged.
    """
    told = Access(
        asked=way,
        at=format_time(now_ms),
        bus=directory.head.bus,
        by=asker.agency,
        directory=directory.version,
        grant=granted.grant,
        request=b64(sha256(request)),
        subject=subject,
    )
    statement = Statement.signed(told.encode(), key)
    return Taken(
        partition=NO_PARTITION,
        offset=0,
        counter=0,
        chain=b"",
        signature=b"\n".join(statement.signatures),
        value=statement.value,
        decision=b"",
        path=b"",
        root=b"",
        admitted_ms=now_ms,
        code=Code.ACCEPTED.value,
        event=sha256(statement.value),
        about=About(subject, None, ACCESSED, asker.agency, (asker.agency,)),
    )
