"""What one agency says for another, as a person has to see it: a claim of the one that signed."""

from collections.abc import Iterator

from rich.console import RenderableType

from referral_bus._cli.screen import Fields, plain, word
from referral_contracts.directory import Directory
from referral_contracts.payloads.relay import Claim


def claim_fields(directory: Directory | None, claim: Claim) -> Fields:
    """Return a claim for JSON."""
    return {
        "agency": claim.agency,
        "by": claim.by,
        "channel": None if claim.channel is None else claim.channel.value,
        "person": claim.person,
        "paper_number": claim.paper_number,
        "speaks_itself": _speaks_itself(directory, claim),
    }


def claim_lines(directory: Directory | None, claim: Claim) -> Iterator[RenderableType]:
    """Yield what a person has to know before taking it for the agency's own word."""
    how = (
        "" if claim.channel is None else f"{claim.channel.vi} / {claim.channel.en}",
        "" if claim.person is None else word(claim.person),
        "" if claim.paper_number is None else f"số / no. {word(claim.paper_number)}",
    )
    told = ", ".join(part for part in how if part) or "không rõ cách nào / it does not say how"
    vi = f"thông tin do {claim.by} ghi thay, chưa được {claim.agency} xác nhận"
    text = f"  ! {vi} / claimed by {claim.by} for {claim.agency}: {told}"
    yield plain(text, "yellow")
    if _speaks_itself(directory, claim):
        yield plain(f"  ! {claim.agency} có trên trục và tự trả lời được / is on the bus and can say it itself", "red")


def _speaks_itself(directory: Directory | None, claim: Claim) -> bool:
    member = None if directory is None else directory.member(claim.agency)
    return member is not None and member.on_bus
