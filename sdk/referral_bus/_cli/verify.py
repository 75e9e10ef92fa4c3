"""`verify`: an evidence bundle or a receipt, checked offline by keys of one's own: nothing is asked of any bus."""

from typing import Annotated, Final

import typer

from referral_bus._cli.command import Call, add
from referral_bus._cli.faults import WrongUsage, advise
from referral_bus._cli.files import read_named
from referral_bus._cli.screen import heading, plain
from referral_bus._cli.trails import (
    AsCsv,
    DisclosedFile,
    InLanguage,
    PageFile,
    PictureFile,
    Shown,
    disclosed_in,
    say_if_provisional,
    show_trail,
)
from referral_bus._cli.world import Exit
from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError
from referral_contracts.log.policy import Policy
from referral_contracts.log.proof import MAX_RECEIPT, Proven, Receipt, verify_receipt
from referral_contracts.topics import CHANGE_MAX
from referral_contracts.trail import archive, words
from referral_contracts.trail.bundle import read_bundle
from referral_contracts.trust import TrustRoot
from referral_contracts.wording import both

PROVEN_JSON: Final = "index, code, admitted, event, size, witnesses[], witnessed"
_JSON: Final = f"of a bundle: sound, page_compared, trail{{as its trail.json has it}}; of a receipt: {PROVEN_JSON}"
_NOT_COMPARED: Final = (
    "page.html do phiên bản khác tạo, không được so sánh: dùng --page",
    "its page.html was made by another version and not compared: use --page",
)
_TRUST_MAX: Final = 1024 * 1024
_ZIP: Final = b"PK"
_File = Annotated[str, typer.Argument(metavar="FILE", help="A bundle (.zip) or a receipt (.tlog-proof).")]
_Policy = Annotated[
    str, typer.Option("--policy", metavar="FILE", help="Whose log and witnesses you trust (c2sp.org/tlog-policy).")
]
_Trust = Annotated[str | None, typer.Option("--trust", metavar="FILE", help="Whose directory you trust; for a bundle.")]
_Event = Annotated[str | None, typer.Option("--event", metavar="FILE", help="The event's bytes; for a receipt.")]
_Signature = Annotated[
    str | None, typer.Option("--signature", metavar="FILE", help="Its signature header; for a receipt.")
]


def add_to(app: typer.Typer) -> None:
    """Add the verb to *app*."""
    add(app, "verify", verify, json=_JSON, local=True)


def verify(
    call: Call,
    *,
    file: _File,
    policy: _Policy,
    trust: _Trust = None,
    event: _Event = None,
    signature: _Signature = None,
    disclosed: DisclosedFile = None,
    page: PageFile = None,
    picture: PictureFile = None,
    csv: AsCsv = False,
    language: InLanguage = "vi",
) -> Exit:
    """
    Check an evidence bundle or a receipt offline, and tell what it proves.

    Both files of keys are your own: nothing that comes with a bundle is trusted. A bundle's own page proves nothing;
    --page writes the one that follows from what was checked.
    """
    shown = Shown.told(language, csv=csv, page=page, picture=picture)
    data = read_named(file, archive.MAX_SIZE)
    known = Policy.parse(read_named(policy, _TRUST_MAX))
    if not data.startswith(_ZIP):
        if event is None or signature is None:
            raise WrongUsage("a receipt is checked with --event and --signature")
        return _receipt(call, data[: MAX_RECEIPT + 1], read_named(event, CHANGE_MAX), signature, known)
    if trust is None:
        raise WrongUsage("a bundle is checked with --trust")
    root = TrustRoot.decode(read_named(trust, _TRUST_MAX))
    bundle = read_bundle(data, known, root, disclosed_in(disclosed))
    code = show_trail(call, bundle.trail, shown, page_compared=bundle.page_compared)
    if not bundle.page_compared:
        advise(both(_NOT_COMPARED))
    return code


def _receipt(call: Call, data: bytes, value: bytes, signature: str, policy: Policy) -> Exit:
    header = read_named(signature, 4096).strip()
    receipt = Receipt.decode(data)
    try:
        proven = verify_receipt(receipt, header, value, policy)
    except RemoteError as error:
        if error.code is not Code.BAD_PROOF:
            raise
        detail = f"{error.detail}: receipt, event and signature have to be of one event"
        raise RemoteError(error.code, detail) from None
    show_proven(call, proven)
    return Exit.DONE


def show_proven(call: Call, found: Proven, **more: str) -> None:
    """Write what a receipt proves; *more* are fields that go before."""
    fields = {
        **more,
        "index": found.index,
        "code": found.decision.code.value,
        "admitted": found.decision.admitted,
        "event": found.decision.event,
        "size": found.checkpoint.size,
        "witnesses": list(found.witnesses),
        "witnessed": found.witnessed,
    }
    seen = ", ".join(found.witnesses) or "—"
    call.screen.put(
        fields,
        heading(f"✓ {found.checkpoint.origin}: {found.index} / {found.checkpoint.size}"),
        plain(f"{words.when(found.decision.admitted)}  {found.decision.code.value}  {found.decision.event}"),
        plain(f"chứng kiến / witnesses: {seen}"),
    )
    say_if_provisional(witnessed=found.witnessed)
