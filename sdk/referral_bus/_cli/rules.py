"""`rules`: the rules by which deadlines run, listed, explained, checked, and tried on what happened."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Annotated, Final

import typer
from rich.console import RenderableType

from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.faults import WrongUsage, complain, meant
from referral_bus._cli.files import SECTION_MAX, read_named
from referral_bus._cli.form_words import Lang, LangOption, Words, told
from referral_bus._cli.packs import beside, book_of, calendar_of, text_of
from referral_bus._cli.screen import Fields, columns, heading, plain, when
from referral_bus._cli.simulation import Story, moment_of
from referral_bus._cli.world import Exit
from referral_contracts.encoding import format_time
from referral_contracts.rules import happenings
from referral_contracts.rules.book import RuleBook, RuleInForce
from referral_contracts.rules.calendar import due
from referral_contracts.rules.checks import faults_since
from referral_contracts.rules.clock import Clock
from referral_contracts.rules.faults import Fault, Problem
from referral_contracts.rules.happenings import happening_name
from referral_contracts.rules.loading import load_packs, read_packs
from referral_contracts.rules.pack import Pack
from referral_contracts.rules.roles import ROLES
from referral_contracts.rules.words import limit_words, role_words
from referral_contracts.verbs import Verb
from referral_contracts.wording import VERBS

_RULE: Final = (
    "rule, vi, en, pack, version, basis, role[], kind, limit, confidence, limit_confidence, accuses, source, quote, "
    "valid_from, valid_until, places[]{province, commune}, trigger[], required[]"
)
_CLOCK: Final = (
    "clock, rule, vi, en, cycle, handoff, responsible, started_at, due_at, late_after, provisional, state, outcome, "
    "basis, notices[]{step, number, after, up, role}"
)
_DUE: Final = "rule, pack, version, basis, source, started_at, due_at, late_after, provisional, calendar"
PacksOption = Annotated[
    list[str] | None,
    typer.Option("--packs", metavar="PATH", help="Packs to use, files or folders; by default those shipped."),
]
OwnOption = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="PATH", help="Packs beside those, each in the place of the one of its id."),
]
CalendarOption = Annotated[
    str | None, typer.Option("--calendar", metavar="FILE", help="Days off; by default those shipped.")
]
_TITLES: Final[tuple[Words, ...]] = (
    ("quy tắc", "rule"),
    ("nội dung", "what"),
    ("ai", "who"),
    ("thời hạn", "limit"),
    ("độ tin cậy", "confidence"),
    ("bộ", "pack"),
)
_WORDS: Final[dict[str, Words]] = {
    "trigger": ("bắt đầu khi", "starts with"),
    "second": ("đo thêm", "measured beside"),
    "required": ("kết thúc khi", "ends with"),
    "cancelled_by": ("không còn áp dụng khi", "taken off by"),
    "requires": ("chỉ khi", "only if"),
    "unless": ("trừ khi", "unless"),
    "paused_by": ("tạm dừng khi", "stands still from"),
    "resumed_by": ("tiếp tục khi", "goes on with"),
    "delay_told_by": ("báo chậm bằng", "delay told by"),
}


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = new_group(app, "rules", "The rules by which deadlines run: list, explain, check and try them.")
    add(group, "list", list_, json=_RULE, local=True)
    add(group, "explain", explain, json=_RULE, local=True)
    add(group, "check", check, json="file, ok, packs, rules; or file, rule, field, fault, detail, hint", local=True)
    add(group, "due", due_, json=_DUE, local=True)
    add(group, "simulate", simulate, json=_CLOCK, local=True)


def list_(call: Call, *, packs: PacksOption = None, own: OwnOption = None, lang: LangOption = Lang.BOTH) -> Exit:
    """List the rules: whose duty each is, its limit, and how that is known (T read, S secondary, N not verified)."""
    found = list(book_of(packs, own).every())
    if call.as_json:
        for rule in found:
            call.screen.put(_rule_fields(rule))
        return Exit.DONE
    rows = [
        (
            rule.id,
            told((rule.rule.vi, rule.rule.en), lang),
            ", ".join(rule.rule.role),
            told(limit_words(rule.rule), lang),
            _confidence(rule),
            rule.pack,
        )
        for rule in found
    ]
    call.screen.put({}, columns(rows, *(told(title, lang) for title in _TITLES), whole=True))
    return Exit.DONE


def explain(
    call: Call,
    *,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Its id: emergency-measures-12h.")],
    packs: PacksOption = None,
    own: OwnOption = None,
    lang: LangOption = Lang.BOTH,
) -> Exit:
    """Explain a rule: where it stands and in which words, what starts and ends it, how it is counted."""
    book = book_of(packs, own)
    found = [one for one in book.every() if one.id == rule]
    if not found:
        raise WrongUsage("there is no such rule", *meant(rule, book.ids), "referral-bus rules list tells them all")
    for one in found:
        call.screen.put(_rule_fields(one), *_rule_lines(one, lang))
    return Exit.DONE


def check(
    call: Call,
    *,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Packs: TOML files.")],
    packs: PacksOption = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="FILE", help="The pack as it was: no row of it may change.")
    ] = None,
) -> Exit:
    """
    Check packs before anybody relies on them: everything that is wrong, by file, rule and field.

    Each is judged beside the shipped packs, or those of --packs, and in the place of the one of its own id.
    """
    texts = {file: text_of(file) for file in files}
    found, problems = read_packs(beside(texts, packs))
    if since is not None:
        before = load_packs(beside({since: text_of(since)}, packs))[-1]
        following = {file: pack for file, pack in found.items() if file in texts and pack.pack.id == before.pack.id}
        problems = (*problems, *(one for file, pack in following.items() for one in faults_since(file, before, pack)))
    for problem in problems:
        complain(str(problem), *_meant(problem, found.values()), problem.fault.hint)
        if call.as_json:
            call.screen.put(_problem_fields(problem))
    if problems:
        return Exit.USAGE
    for file in texts:
        pack = found[file]
        rows = len(pack.rule) + len(pack.changes)
        fields: Fields = {"file": file, "ok": True, "pack": pack.pack.id, "version": pack.pack.version, "rules": rows}
        call.screen.put(
            fields, f"{file}: {pack.pack.id}, bản / version {pack.pack.version}, {rows} quy tắc / rules, tốt / good"
        )
    return Exit.DONE


def due_(
    call: Call,
    *,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Its id, as a notice names it.")],
    start: Annotated[str, typer.Argument(metavar="START", help="When it started: 2026-11-20T21:00:00+07:00.")],
    province: Annotated[str | None, typer.Option(metavar="CODE", help="Where: the province.")] = None,
    commune: Annotated[str | None, typer.Option(metavar="CODE", help="And the commune.")] = None,
    packs: PacksOption = None,
    own: OwnOption = None,
    calendar: CalendarOption = None,
    lang: LangOption = Lang.BOTH,
) -> Exit:
    """Work out until when something is in time, as whoever is said to be late can: without the bus."""
    book, days, start_ms = book_of(packs, own), calendar_of(calendar), moment_of(start)
    found = book.in_force(rule, start_ms, province, commune)
    if found is None or found.rule.span is None:
        raise WrongUsage(
            "no rule with a limit is in force there and then under this name",
            *(_held(book, rule) if found is None else ()),
            f"referral-bus rules explain {rule} tells when and where it holds, and whether it has a limit",
        )
    reckoned = due(days, start_ms, found.rule.span, found.rule.counting)
    fields: Fields = {
        "rule": found.id,
        "pack": found.pack,
        "version": found.version,
        "basis": found.basis.value,
        "source": found.rule.source,
        "started_at": format_time(start_ms),
        "due_at": format_time(reckoned.strict_ms),
        "late_after": format_time(reckoned.lenient_ms),
        "provisional": reckoned.provisional,
        "calendar": days.version,
    }
    limit = f"  {told(limit_words(found.rule), lang)} · {found.rule.source}"
    shown = _due_line(reckoned.strict_ms, reckoned.lenient_ms, lang, provisional=reckoned.provisional)
    title = heading(f"{found.id}  {told((found.rule.vi, found.rule.en), lang)}")
    call.screen.put(
        fields, title, plain(limit), plain(shown), plain(f"  {told(('lịch', 'calendar'), lang)} {days.version}", "dim")
    )
    return Exit.DONE


def _held(book: RuleBook, rule: str) -> Iterator[str]:
    """Yield where *rule* holds, if that is not everywhere."""
    places = {place for one in book.every() if one.id == rule for place in one.places}
    for place in sorted(places, key=lambda one: (one.province, one.commune or "")):
        commune = f" --commune {place.commune}" if place.commune is not None else ""
        yield f"give its place: --province {place.province}{commune}"


def simulate(
    call: Call,
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="What happened, as JSON; - is standard input.")],
    packs: PacksOption = None,
    own: OwnOption = None,
    calendar: CalendarOption = None,
    lang: LangOption = Lang.BOTH,
) -> Exit:
    """Tell which clocks follow from what happened in a case: what is due when, and what would be said of it."""
    story = Story.read(read_named(file, SECTION_MAX))
    docket = story.happened(book_of(packs, own), calendar_of(calendar))
    for clock in sorted(docket.clocks, key=lambda one: (one.lenient_ms is None, one.lenient_ms or 0, one.id)):
        call.screen.put(_clock_fields(clock, story.now_ms), *_clock_lines(clock, story.now_ms, lang))
    return Exit.DONE


def _meant(problem: Problem, packs: Iterable[Pack]) -> list[str]:
    match problem.fault:
        case Fault.UNKNOWN_HAPPENING:
            return meant(problem.detail, happenings.names())
        case Fault.UNKNOWN_ROLE:
            return meant(problem.detail, ROLES)
        case Fault.UNKNOWN_RULE:
            return meant(problem.rule, {rule.id for pack in packs for rule in pack.rule})
        case _:
            return []


def _problem_fields(problem: Problem) -> Fields:
    return {
        "file": problem.file,
        "rule": problem.rule or None,
        "field": problem.field or None,
        "fault": problem.fault.value,
        "detail": problem.detail,
        "hint": problem.fault.hint,
    }


def _confidence(rule: RuleInForce) -> str:
    known, limit = rule.rule.confidence.value, rule.rule.limit_confidence
    return known if limit is None else f"{known}/{limit.value}"


def _rule_fields(found: RuleInForce) -> Fields:
    rule = found.rule
    return {
        "rule": rule.id,
        "vi": rule.vi,
        "en": rule.en,
        "pack": found.pack,
        "version": found.version,
        "basis": found.basis.value,
        "role": list(rule.role),
        "kind": rule.kind.value,
        "limit": rule.limit,
        "confidence": rule.confidence.value,
        "limit_confidence": None if rule.limit_confidence is None else rule.limit_confidence.value,
        "accuses": found.accuses,
        "source": rule.source,
        "quote": rule.quote,
        "valid_from": rule.valid_from.isoformat(),
        "valid_until": None if rule.valid_until is None else rule.valid_until.isoformat(),
        "places": [{"province": place.province, "commune": place.commune} for place in found.places],
        "trigger": list(rule.trigger),
        "required": list(rule.required),
    }


def _rule_lines(found: RuleInForce, lang: Lang) -> Iterator[RenderableType]:
    rule = found.rule
    yield heading(f"{rule.id}  {told((rule.vi, rule.en), lang)}")
    yield plain(f"  {told(role_words(rule), lang)}: {told(limit_words(rule), lang)}")
    if found.country is not None and found.country.limit != rule.limit:
        country = told(limit_words(found.country), lang)
        yield plain(f"  {told(('cả nước', 'in the country'), lang)}: {country} ({found.country.source})")
    yield plain(f"  {rule.source}")
    if rule.quote is not None:
        yield plain(f"  “{rule.quote}”")
    basis = told(found.basis_words, lang)
    known = told((rule.confidence.vi, rule.confidence.en), lang)
    yield plain(f"  {basis} · {_confidence(found)}: {known} · {found.pack} {found.version}")
    if not rule.verified:
        words = ("chỉ đo và hiển thị, không bao giờ báo quá hạn", "measured and shown, never called missed")
        yield plain(f"  ! {told(words, lang)}", "yellow")
    until = ""
    if rule.valid_until is not None:
        last = rule.valid_until - timedelta(days=1)
        until = f" {told(('đến hết', 'to the end of'), lang)} {last:%d/%m/%Y}"
    places = "".join(f" · {place.province}{f'/{place.commune}' if place.commune else ''}" for place in found.places)
    yield plain(f"  {told(('hiệu lực từ', 'in force from'), lang)} {rule.valid_from:%d/%m/%Y}{until}{places}")
    for name, words in _WORDS.items():
        if happenings := getattr(rule, name):
            listed = "; ".join(f"{told(_name(one), lang)} ({one})" for one in happenings)
            yield plain(f"  {told(words, lang)}: {listed}")
    if rule.told_to:
        yield plain(f"  {told(('gửi đến', 'sent to'), lang)}: {', '.join(rule.told_to)}")
    for vi, en in ((rule.condition_vi, rule.condition_en), (rule.note_vi, rule.note_en)):
        if vi is not None or en is not None:
            yield plain(f"  {told((vi or en or '', en or vi or ''), lang)}")


def _name(happening: str) -> Words:
    return VERBS[Verb(happening)] if "." in happening else happening_name(happening)


def _clock_fields(clock: Clock, now_ms: int) -> Fields:
    outcome, rule = clock.outcome_at(now_ms), clock.rule.rule
    return {
        "clock": clock.id,
        "rule": rule.id,
        "vi": rule.vi,
        "en": rule.en,
        "cycle": clock.cycle,
        "handoff": clock.scope or None,
        "responsible": clock.responsible,
        "started_at": format_time(clock.started.moment_ms),
        "due_at": None if clock.due_ms is None else format_time(clock.due_ms),
        "late_after": None if clock.lenient_ms is None else format_time(clock.lenient_ms),
        "provisional": clock.provisional,
        "state": clock.state_at(now_ms).value,
        "outcome": None if outcome is None else outcome.value,
        "basis": clock.rule.basis.value,
        "notices": [
            {
                "step": notice.step.value,
                "number": notice.number,
                "after": format_time(notice.after_ms),
                "up": None if notice.level is None else notice.level.up,
                "role": None if notice.level is None else notice.level.role,
            }
            for notice in clock.notices
        ],
    }


def _due_line(due_ms: int, late_ms: int, lang: Lang, *, provisional: bool) -> str:
    late = f"; {told(('chỉ quá hạn sau', 'late only after'), lang)} {when(late_ms)}" if late_ms != due_ms else ""
    doubt = f" ({told(('tạm tính: chưa có lịch nghỉ', 'provisional: days off not announced'), lang)})"
    return f"  {told(('hạn', 'due'), lang)} {when(due_ms)}{late}{doubt if provisional else ''}"


def _clock_lines(clock: Clock, now_ms: int, lang: Lang) -> Iterator[RenderableType]:
    rule, outcome, state = clock.rule.rule, clock.outcome_at(now_ms), clock.state_at(now_ms)
    yield heading(f"{rule.id}  {told((rule.vi, rule.en), lang)}")
    stands = told((state.vi, state.en) if outcome is None else (outcome.vi, outcome.en), lang)
    yield plain(f"  {clock.responsible or '—'}: {stands}")
    yield plain(f"  {told(('bắt đầu', 'started'), lang)} {when(clock.started.moment_ms)}")
    if clock.due_ms is not None:
        late = clock.due_ms if clock.lenient_ms is None else clock.lenient_ms
        yield plain(_due_line(clock.due_ms, late, lang, provisional=clock.provisional))
    for notice in clock.notices:
        level = notice.level
        whom = "" if level is None else f" → {level.role or f'+{level.up}'}"
        yield plain(f"    {when(notice.after_ms)}  {notice.step.value}{whom}", "dim")
