"""`audit`: what a log has of cases, proven: trails, bundles, a search, and who has read them."""

import re
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer
from pydantic import ValidationError

from referral_bus._cli.audit_consistent import CONSISTENT_JSON, consistent
from referral_bus._cli.audit_logs import (
    HomeFolder,
    KeysFile,
    LogUrl,
    Pinned,
    Place,
    PolicyFile,
    StoreUrl,
    TilesFolder,
    TrustFile,
    open_log,
)
from referral_bus._cli.command import Call, add, group_of
from referral_bus._cli.faults import WrongUsage, advise, complain, meant, mention
from referral_bus._cli.files import write_private
from referral_bus._cli.screen import Fields, columns, heading, plain
from referral_bus._cli.trails import (
    AsCsv,
    DisclosedFile,
    InLanguage,
    PageFile,
    PictureFile,
    Shown,
    disclosed_in,
    ended,
    say_if_provisional,
    show_trail,
)
from referral_bus._cli.world import Exit
from referral_contracts.codes import Code
from referral_contracts.encoding import SUBJECT
from referral_contracts.errors import RemoteError
from referral_contracts.trail import words
from referral_contracts.trail.answers import MOST_FOUND, FoundLeaf, Search, read_trail
from referral_contracts.trail.bundle import read_bundle
from referral_contracts.trail.model import Fault
from referral_contracts.trail.reads import Read, read_reads
from referral_contracts.trail.words import Language
from referral_contracts.verbs import Verb
from referral_contracts.wording import PURPOSES, both

NAME: Final = "audit"
HELP: Final = "Prove what was logged."
_TRAIL_JSON: Final = "sound, witnessed, trail{as a bundle's trail.json has it}"
_BUNDLE_JSON: Final = "file, bytes, sound, events, refused, witnessed"
_SEARCH_JSON: Final = "size, next?, found[]{leaf, subject, referral?, verb?, source?, admitted, code, accepted, event}"
_READS_JSON: Final = "sound, witnessed, subject, reads[]{leaf, at, by, asked, purpose?, until?, directory, request}"
_FORMS: Final = {
    "case": "a case's whole id, 32 characters of 0-9 and a-f",
    "referral": "the whole id of the event that opened the hand-off, without @ and what follows",
    "agency": "an agency's id, such as ubnd-xa-thi-du",
    "from": "a time such as 2026-11-23T00:00:00.000Z",
    "until": "a time such as 2026-11-23T00:00:00.000Z",
    "verb": "a verb such as handoff.offered",
}
"""The one form of what is looked for."""
_VERBS: Final = (*(verb.value for verb in Verb), *words.STATEMENTS)
_ONLY_GRANTED: Final = (
    "chỉ tìm trong các vụ việc thuộc quyền được cấp: referral-bus directory show CƠ-QUAN",
    "only cases that a grant covers are searched: referral-bus directory show AGENCY",
)
_Case: TypeAlias = Annotated[str, typer.Argument(metavar="CASE", help="The case, its whole id.")]


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the group of *app*, which others may fill too."""
    group = group_of(app, NAME, HELP)
    add(group, "trail", trail, json=_TRAIL_JSON, local=True)
    add(group, "bundle", bundle, json=_BUNDLE_JSON, local=True)
    add(group, "search", search, json=_SEARCH_JSON, local=True)
    add(group, "reads", reads, json=_READS_JSON, local=True)
    add(group, "consistent", consistent, json=CONSISTENT_JSON, local=True)


async def trail(
    call: Call,
    *,
    subject: _Case,
    log: LogUrl = None,
    store: StoreUrl = None,
    tiles: TilesFolder = None,
    policy: PolicyFile = None,
    trust: TrustFile = None,
    keys: KeysFile = None,
    home: HomeFolder = None,
    disclosed: DisclosedFile = None,
    page: PageFile = None,
    picture: PictureFile = None,
    csv: AsCsv = False,
    language: InLanguage = "vi",
) -> Exit:
    """
    Show a case's trail: who handed what to whom and when, each step proven.

    The log is asked and not believed: what is not proven is named. What is sealed stays sealed, but for sections whose
    holders disclosed their keys; such a key has to open the section as it was committed to.

    Asked over HTTP, it takes a grant, and the log notes the read before it answers, for the case's owner to see. From
    a store it is read without a trace.
    """
    shown = Shown.told(language, csv=csv, page=page, picture=picture)
    keys_shown = disclosed_in(disclosed)
    _whole(subject)
    place = Place(log=log, store=store, tiles=tiles, policy=policy, trust=trust, keys=keys, home=home)
    async with open_log(call, place) as pinned:
        answer = await pinned.log.case(subject)
    _of_case(answer.subject, subject)
    found = read_trail(answer, pinned.policy, pinned.trust, keys_shown)
    return show_trail(call, found, shown, witnessed=found.checked.quorum)


async def bundle(
    call: Call,
    *,
    subject: _Case,
    out: Annotated[str, typer.Option("--out", metavar="FILE", help="Where to write it (.zip).")],
    log: LogUrl = None,
    store: StoreUrl = None,
    tiles: TilesFolder = None,
    policy: PolicyFile = None,
    trust: TrustFile = None,
    keys: KeysFile = None,
    home: HomeFolder = None,
) -> Exit:
    """
    Write a case's evidence bundle: one file that anybody can check offline.

    It is checked as it comes, with keys of one's own, as `referral-bus verify` does. What is sealed stays sealed.

    Asked over HTTP, it takes a grant, and the read is noted, as for a trail; from a store it is read without a trace.
    """
    _whole(subject)
    place = Place(log=log, store=store, tiles=tiles, policy=policy, trust=trust, keys=keys, home=home)
    async with open_log(call, place) as pinned:
        data = await pinned.log.bundle(subject)
    write_private(Path(out), data)
    mention(f"{out} is written")
    found = read_bundle(data, pinned.policy, pinned.trust).trail
    _of_case(found.subject, subject)
    told = {
        "file": out,
        "bytes": len(data),
        "sound": found.sound,
        "events": found.events,
        "refused": found.refused,
        "witnessed": found.checked.quorum,
    }
    call.screen.put(told, plain(f"{found.subject}  {found.events} events, {found.refused} refused, {len(data)} bytes"))
    return ended(found)


async def search(
    call: Call,
    *,
    case: Annotated[str | None, typer.Option(metavar="CASE", help="Of this case.")] = None,
    referral: Annotated[str | None, typer.Option(metavar="ID", help="Of the hand-off that this event opened.")] = None,
    agency: Annotated[str | None, typer.Option(metavar="ID", help="Said by this agency, or to it.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Admitted then or later, as 2026-11-23T00:00:00.000Z.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Admitted before then.")] = None,
    verb: Annotated[str | None, typer.Option(metavar="VERB", help="Saying this, as handoff.offered.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="That a deadline was missed.")] = False,
    after: Annotated[int | None, typer.Option(min=0, metavar="LEAF", help="Behind this leaf.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many at most.")] = MOST_FOUND,
    log: LogUrl = None,
    store: StoreUrl = None,
    tiles: TilesFolder = None,
    policy: PolicyFile = None,
    trust: TrustFile = None,
    keys: KeysFile = None,
    home: HomeFolder = None,
) -> Exit:
    """
    Find what was logged, by all that is said: case, hand-off, agency, time, verb, missed deadlines.

    What is found is the log's word; the trail of a case proves it. Over HTTP only what there is a grant for is found.
    """
    told = {"case": case, "referral": referral, "agency": agency, "from": since, "until": until, "verb": verb}
    asked = _search({**{name: value for name, value in told.items() if value is not None}, "overdue": overdue})
    place = Place(log=log, store=store, tiles=tiles, policy=policy, trust=trust, keys=keys, home=home)
    async with open_log(call, place) as pinned:
        found, following, size = await _pages(pinned, asked, after, limit)
    fields: Fields = {
        "size": size,
        **({} if following is None else {"next": following}),
        "found": [one.model_dump(mode="json", exclude_none=True) for one in found],
    }
    rest = "" if following is None else f", --after {following}: …"
    titles = ("leaf", "admitted", "case", "verb", "by", "code")
    call.screen.put(fields, columns(map(_row, found), *titles), heading(f"{len(found)} / {size}{rest}"))
    if not found:
        _say_why_none(verb, over_http=pinned.over_http)
    return Exit.DONE


async def reads(
    call: Call,
    *,
    subject: _Case,
    log: LogUrl = None,
    store: StoreUrl = None,
    tiles: TilesFolder = None,
    policy: PolicyFile = None,
    trust: TrustFile = None,
    keys: KeysFile = None,
    home: HomeFolder = None,
    language: InLanguage = "vi",
) -> Exit:
    """
    Show who has read a case: when, for what purpose, and what; each read proven to be in the log.

    Over HTTP the case's owner may ask, and an auditor with a grant for it. That they asked is logged too.
    """
    told = Shown.told(language, csv=False, page=None, picture=None).language
    _whole(subject)
    place = Place(log=log, store=store, tiles=tiles, policy=policy, trust=trust, keys=keys, home=home)
    found, faults, witnessed = list[Read](), list[Fault](), True
    async with open_log(call, place) as pinned:
        after: int | None = None
        while True:
            answer = await pinned.log.reads(subject, after)
            _of_case(answer.subject, subject)
            page = read_reads(answer, pinned.policy, pinned.trust)
            found, faults = [*found, *page.reads], [*faults, *page.faults]
            witnessed = witnessed and page.checked.quorum
            after = _onward(after, answer.next)
            if after is None:
                break
    fields: Fields = {
        "sound": not faults,
        "witnessed": witnessed,
        "subject": subject,
        "reads": [_read_fields(one) for one in found],
    }
    titles = {
        Language.VI: ("số", "lúc", "ai", "mục đích", "đã đọc"),
        Language.EN: ("no.", "when", "who", "purpose", "what"),
    }
    call.screen.put(
        fields, heading(f"{subject}  {len(found)}"), columns([_read_row(one, told) for one in found], *titles[told])
    )
    for fault in faults:
        complain(str(fault))
    say_if_provisional(witnessed=witnessed)
    return Exit.ALARM if faults else Exit.DONE


def _read_fields(one: Read) -> Fields:
    access, grant = one.access, one.access.grant
    return {
        "leaf": one.index,
        "at": access.at,
        "by": access.by,
        "asked": access.asked.value,
        **({} if grant is None else {"purpose": grant.purpose.value, "until": grant.valid_until}),
        "directory": access.directory,
        "request": access.request,
    }


def _read_row(one: Read, language: Language) -> tuple[str, ...]:
    access = one.access
    name = access.by if one.names is None else f"{one.names[language]} ({access.by})"
    # Without a grant it is who owns the case.
    purpose = "—" if access.grant is None else PURPOSES[access.grant.purpose][language]
    return str(one.index), words.when(access.at), name, purpose, words.WAYS[access.asked][language]


def _onward(after: int | None, following: int | None) -> int | None:
    """Return where the next page begins, which is behind where this one did."""
    if following is not None and following <= (-1 if after is None else after):
        raise RemoteError(Code.MALFORMED_VALUE, "the log turns in a circle")
    return following


def _search(told: dict[str, object]) -> Search:
    try:
        return Search.model_validate(told)
    except ValidationError as error:
        names = sorted({str(one["loc"][0]) for one in error.errors()})
        hints = [f"--{name} is {_FORMS[name]}" for name in names]
        raise WrongUsage(f"not in the one form: {', '.join(f'--{name}' for name in names)}", *hints) from None


def _say_why_none(verb: str | None, *, over_http: bool) -> None:
    if verb is not None and verb not in _VERBS:
        advise(f"no verb {verb} is known here", *meant(verb, _VERBS))
    if over_http:
        advise(both(_ONLY_GRANTED))


def _whole(subject: str) -> None:
    if re.fullmatch(SUBJECT, subject) is None:
        raise WrongUsage("not the whole id of a case", f"it is {_FORMS['case']}")


async def _pages(
    pinned: Pinned, asked: Search, after: int | None, limit: int
) -> tuple[list[FoundLeaf], int | None, int]:
    """Return what is found, at most *limit*, behind what leaf there is more, and of how many leaves."""
    found: list[FoundLeaf] = []
    while True:
        most = min(MOST_FOUND, limit - len(found))
        page = await pinned.log.search(asked.model_copy(update={"after": after, "limit": most}))
        found += page.found
        after = _onward(after, page.next)
        if after is None or len(found) >= limit:
            return found, after, page.size


def _row(one: FoundLeaf) -> tuple[str, ...]:
    code = "" if one.accepted else one.code
    return str(one.leaf), words.when(one.admitted), one.subject, one.verb or "", one.source or "", code


def _of_case(found: str, asked: str) -> None:
    if found != asked:
        raise RemoteError(Code.WRONG_SUBJECT, "the log answers of another case than was asked for")
