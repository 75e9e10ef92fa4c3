"""`verify`: an evidence bundle or a receipt, checked offline by keys of one's own: nothing is asked of any bus."""

import re
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType

from referral_bus._cli.command import Call, add
from referral_bus._cli.faults import WrongUsage, advise, complain
from referral_bus._cli.files import read_bytes, write_private
from referral_bus._cli.screen import columns, heading, plain
from referral_bus._cli.world import Exit
from referral_contracts.log.policy import Policy
from referral_contracts.log.proof import MAX_RECEIPT, Proven, Receipt, verify_receipt
from referral_contracts.topics import CHANGE_MAX
from referral_contracts.trail import archive, page, telling, words
from referral_contracts.trail.bundle import Bundle, read_bundle
from referral_contracts.trail.model import Trail
from referral_contracts.trail.picture import picture
from referral_contracts.trail.words import Language
from referral_contracts.trust import TrustRoot
from referral_contracts.wording import CASES, EXERCISE, both

PROVEN_JSON: Final = "index, code, admitted, event, size, witnesses[], witnessed"
_JSON: Final = f"of a bundle: sound, page_compared, trail{{as its trail.json has it}}; of a receipt: {PROVEN_JSON}"
_PROVISIONAL: Final = (
    "tạm thời: điểm kiểm tra chưa đủ chữ ký của các bên chứng kiến",
    "provisional: not enough witnesses have cosigned the checkpoint yet",
)
_NOT_COMPARED: Final = (
    "page.html do phiên bản khác tạo, không được so sánh: dùng --page",
    "its page.html was made by another version and not compared: use --page",
)
_TRUST_MAX: Final = 1024 * 1024
_ZIP: Final = b"PK"
_FIRST: Final = re.compile(r"vi|en")
_File = Annotated[str, typer.Argument(metavar="FILE", help="A bundle (.zip) or a receipt (.tlog-proof).")]
_Policy = Annotated[
    str, typer.Option("--policy", metavar="FILE", help="Whose log and witnesses you trust (c2sp.org/tlog-policy).")
]
_Trust = Annotated[str | None, typer.Option("--trust", metavar="FILE", help="Whose directory you trust; for a bundle.")]
_Event = Annotated[str | None, typer.Option("--event", metavar="FILE", help="The event's bytes; for a receipt.")]
_Signature = Annotated[
    str | None, typer.Option("--signature", metavar="FILE", help="Its signature header; for a receipt.")
]
_Page = Annotated[str | None, typer.Option("--page", metavar="FILE", help="Write the trail as a page, made anew.")]
_Picture = Annotated[str | None, typer.Option("--picture", metavar="FILE", help="Write its timeline as SVG.")]
_Csv = Annotated[bool, typer.Option("--csv", help="Write the trail as CSV, for a spreadsheet.")]
_Language = Annotated[str, typer.Option("--language", metavar="vi|en", help="Of table, CSV and picture.")]


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
    page: _Page = None,
    picture: _Picture = None,
    csv: _Csv = False,
    language: _Language = "vi",
) -> Exit:
    """
    Check an evidence bundle or a receipt offline, and tell what it proves.

    Both files of keys are your own: nothing that comes with a bundle is trusted. A bundle's own page proves nothing;
    --page writes the one that follows from what was checked.
    """
    if not _FIRST.fullmatch(language):
        raise WrongUsage("--language is vi or en")
    data = read_bytes(file, archive.MAX_SIZE)
    known = Policy.parse(read_bytes(policy, _TRUST_MAX))
    if not data.startswith(_ZIP):
        if event is None or signature is None:
            raise WrongUsage("a receipt is checked with --event and --signature")
        return _receipt(call, data[: MAX_RECEIPT + 1], read_bytes(event, CHANGE_MAX), signature, known)
    if trust is None:
        raise WrongUsage("a bundle is checked with --trust")
    bundle = read_bundle(data, known, TrustRoot.decode(read_bytes(trust, _TRUST_MAX)))
    told = Language.VI if language == Language.VI.tag else Language.EN
    _write(bundle, page, picture, told)
    return _bundle(call, bundle, told, csv=csv)


def _write(bundle: Bundle, page_file: str | None, picture_file: str | None, language: Language) -> None:
    if page_file is not None:
        write_private(Path(page_file), page.page(bundle.trail))
    if picture_file is not None:
        write_private(Path(picture_file), picture(bundle.trail, language).encode())


def _bundle(call: Call, bundle: Bundle, language: Language, *, csv: bool) -> Exit:
    trail = bundle.trail
    if csv:
        call.screen.text(telling.as_csv(trail, language))
    else:
        fields = {"sound": trail.sound, "page_compared": bundle.page_compared, "trail": telling.fields(trail)}
        call.screen.put(fields, *trail_shown(trail, language))
    for fault in trail.faults:
        complain(str(fault))
    say_if_provisional(witnessed=trail.checked.quorum)
    if not bundle.page_compared:
        advise(both(_NOT_COMPARED))
    return Exit.DONE if trail.sound else Exit.ALARM


def trail_shown(trail: Trail, language: Language) -> tuple[RenderableType, ...]:
    """Return what a person reads of *trail*: the case, a line for each leaf, and what it is proven under."""
    state = "—" if trail.state is None else both(CASES[trail.state])
    owner = "—" if trail.owner is None else words.name(trail, trail.owner, language)
    checkpoint = trail.checked.checkpoint
    seen = ", ".join(trail.checked.witnesses) or "—"
    return (
        heading(f"{trail.subject}  {state}  {owner}{f'  {EXERCISE}' if trail.exercise else ''}"),
        columns(telling.lines(trail, language), *telling.titles(language)),
        plain(f"{checkpoint.origin}: {checkpoint.size}; chứng kiến / witnesses: {seen}"),
        plain(_verdict(trail)),
    )


def _verdict(trail: Trail) -> str:
    if not trail.sound:
        return "✗ không đứng vững / not sound"
    return f"✓ {trail.events} sự kiện được chứng minh / events proven, {trail.refused} bị từ chối / refused"


def _receipt(call: Call, data: bytes, value: bytes, signature: str, policy: Policy) -> Exit:
    header = read_bytes(signature, 4096).strip()
    show_proven(call, verify_receipt(Receipt.decode(data), header, value, policy))
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


def say_if_provisional(*, witnessed: bool) -> None:
    """Say of what is proven that it is not *witnessed* enough yet."""
    if not witnessed:
        advise(both(_PROVISIONAL))
