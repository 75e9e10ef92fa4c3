"""`form`: the forms of the bus, shown, explained, filled in step by step, and checked."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from referral_bus._cli import check, fill
from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.faults import WrongUsage, advise
from referral_bus._cli.fill import Sitting
from referral_bus._cli.form_words import (
    FINISHED,
    PERSONAL,
    SAVED,
    STATUSES,
    Lang,
    LangOption,
    help_of,
    kind_of,
    marks_of,
    name_of,
    told,
)
from referral_bus._cli.screen import Fields, caution, columns, heading, plain
from referral_bus._cli.world import Exit
from referral_contracts.codes import Code
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.outline import Place, Question, places
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import MODELS, PAPERS, USES
from referral_contracts.verbs import Verb
from referral_contracts.wording import VERBS

_FIELD = (
    "path, vi, en, help_vi, help_en, kind, many, required, essential, personal, provisional, choices[]{value, vi, en}, "
    "limits"
)
_FORM = "schema, vi, en, status, verbs[]"

Form = Annotated[str, typer.Argument(metavar="FORM", help="Its schema's name: mau01.")]


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = new_group(app, "form", "Show the forms, explain their fields, and fill them in step by step.")
    add(group, "list", list_, json=_FORM, local=True)
    add(group, "show", show, json=f"{_FORM}, basis[]{{place, confidence, vi, en}}, fields[]{{{_FIELD}}}", local=True)
    add(group, "explain", explain, json=f"schema, {_FIELD}", local=True)
    add(
        group,
        "fill",
        fill_,
        json="after the questions: file, schema, finished, missing[]{path, vi, en}",
        local=True,
    )
    add(group, "check", check.check, json=check.FIELDS, local=True)


def list_(call: Call, *, lang: LangOption = Lang.BOTH) -> Exit:
    """List every form: its schema, its name, and how it came about."""
    found = _forms()
    if call.as_json:
        for model in found:
            call.screen.put(_form_fields(model))
        return Exit.DONE
    rows = [
        (
            model.schema_id(),
            told((model.about.vi, model.about.en), lang),
            told(STATUSES[model.about.status], lang),
        )
        for model in found
    ]
    titles = [told(title, lang) for title in (("mẫu", "form"), ("tên", "name"), ("nguồn gốc", "status"))]
    call.screen.put({}, columns(rows, *titles))
    return Exit.DONE


def show(call: Call, *, form: Form, lang: LangOption = Lang.BOTH) -> Exit:
    """Show a form: each field with its label and help, what answers it, and what the work is held up without."""
    model = find_form(form)
    fields = list(places(model))
    about = {
        "basis": [part.as_schema() for part in model.about.basis],
        "fields": [_field_fields(place) for place in fields],
    }
    call.screen.put({**_form_fields(model), **about}, *_form_lines(model, lang), *_field_lines(fields, lang))
    return Exit.DONE


def explain(
    call: Call,
    *,
    form: Form,
    field: Annotated[str, typer.Argument(metavar="FIELD", help="Its path: incident_place.commune.")],
    lang: LangOption = Lang.BOTH,
) -> Exit:
    """Explain one field of a form: what it is for, and what answers it."""
    model = find_form(form)
    place = _find_field(model, field)
    about = [heading(f"{model.schema_id()}  {told((model.about.vi, model.about.en), lang)}")]
    lines = [*about, *caution(model.schema_id()), *_field_lines([place], lang)]
    if place.question.mark.personal:
        lines.append(plain(f"    {told(PERSONAL, lang)}"))
    call.screen.put({"schema": model.schema_id(), **_field_fields(place)}, *lines)
    return Exit.DONE


def fill_(
    call: Call,
    *,
    form: Form,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where the answers go (mode 0600); one begun goes on.")],
    lang: LangOption = Lang.BOTH,
) -> Exit:
    """
    Fill in a form at the terminal, field after field: each is asked with its label and help and checked at once.

    Enter leaves a field as it is, < goes back, - erases, ? explains, a period stops and keeps the file for later: the
    same command goes on. The file is one that check and send take.
    """
    model = find_form(form)
    if not fill.at_a_terminal():
        raise WrongUsage(
            "form fill asks at a terminal, and this is none",
            f"referral-bus form show {model.schema_name} --json tells a program the fields",
            'write {"schema": …, "body": {…}} to a file yourself; referral-bus form check tells what is wrong in it',
        )
    sitting = Sitting(filling=fill.begin(model, file), file=file, lang=lang, read=fill.terminal_line)
    going_on = f"referral-bus form fill {model.schema_name} {file}"
    try:
        finished = sitting.hold()
    except KeyboardInterrupt:
        if Path(file).exists():
            advise(f"what was answered is kept: {going_on}")
        raise
    missing = fill.missing_of(file) if finished else []
    fields: Fields = {"file": file, "schema": model.schema_id(), "finished": finished, "missing": missing}
    lines = [f"{file}: {told(FINISHED if finished else SAVED, lang)}"]
    lines += [f"  {told((gap['vi'], gap['en']), lang)}  {gap['path']}  — còn thiếu / missing" for gap in missing]
    call.screen.put(fields, *lines)
    advise(f"referral-bus check {file}" if finished else going_on)
    return Exit.DONE


def find_form(name: str) -> type[Payload]:
    """Return the form that a person calls *name*, with or without its version."""
    found = {model.schema_name: model for model in MODELS.values()}
    written = name.casefold().partition("/")[0]
    if written in found and name.casefold() in {written, f"{written}/1", found[written].schema_id()}:
        return found[written]
    near = get_close_matches(written, found, 1)
    hints = [f"is {near[0]} meant?"] if near else []
    raise WrongUsage("there is no such form", *hints, "referral-bus form list tells them all", code=Code.UNKNOWN_SCHEMA)


def _find_field(model: type[Payload], path: str) -> Place:
    found = {_without_places(place.path): place for place in places(model)}
    written = _without_places(path)
    if written in found:
        return found[written]
    last = [one for one in found if one.rpartition(".")[2] == written]
    near = last or get_close_matches(written, found, 1)
    hints = [f"is {' or '.join(near)} meant?"] if near else []
    raise WrongUsage(
        f"{model.schema_id()} has no such field",
        *hints,
        f"referral-bus form show {model.schema_name} tells them all",
    )


def _without_places(path: str) -> str:
    return ".".join(part.removesuffix("[]") for part in path.casefold().split(".") if not part.isdecimal())


def _forms() -> list[type[Payload]]:
    # What people fill in comes first; then what answers, in the order of the verbs.
    models: list[type[Payload]] = [
        Mau01,
        *PAPERS,
        *(model for used in USES.values() for model in used),
        *MODELS.values(),
    ]
    return list(dict.fromkeys(models))


def _verbs(model: type[Payload]) -> list[Verb]:
    return [verb for verb, used in USES.items() if model in used]


def _form_fields(model: type[Payload]) -> dict[str, object]:
    return {
        "schema": model.schema_id(),
        "vi": model.about.vi,
        "en": model.about.en,
        "status": model.about.status.value,
        "verbs": [verb.value for verb in _verbs(model)],
    }


def _field_fields(place: Place) -> dict[str, object]:
    question, mark = place.question, place.question.mark
    return {
        "path": place.path,
        "vi": mark.vi,
        "en": mark.en,
        "help_vi": mark.help_vi,
        "help_en": mark.help_en,
        "kind": question.kind.value,
        "many": question.many,
        "required": question.required,
        "essential": mark.essential,
        "personal": mark.personal,
        "provisional": mark.provisional,
        "choices": [{"value": choice.value, "vi": choice.vi, "en": choice.en} for choice in question.choices],
        "limits": dict(question.limits),
    }


def _form_lines(model: type[Payload], lang: Lang) -> Iterator[RenderableType]:
    about = model.about
    yield heading(f"{model.schema_id()}  {told((about.vi, about.en), lang)}")
    yield from caution(model.schema_id()) or [plain(f"  {told((about.status.vi, about.status.en), lang)}")]
    for part in about.basis:
        confidence = told((part.confidence.vi, part.confidence.en), lang)
        yield plain(f"  {part.place}: {told((part.vi, part.en), lang)} ({part.confidence.value}: {confidence})")
    if verbs := ", ".join(told(VERBS[verb], lang) for verb in _verbs(model)):
        yield plain(f"  {told(('đi với', 'goes with'), lang)}: {verbs}")


def _field_lines(fields: list[Place], lang: Lang) -> Iterator[RenderableType]:
    for place in fields:
        question = place.question
        depth = "  " * (place.path.count(".") + 1)
        title = plain(f"{depth}{name_of(question, lang)}", "bold").append(f"  {place.path}", "dim")
        marks = marks_of(question, lang)
        yield title.append(f"  {marks}", "yellow") if marks else title
        yield plain(f"{depth}  {help_of(question, lang)}")
        yield from _answers(question, depth, lang)


def _answers(question: Question, depth: str, lang: Lang) -> Iterator[RenderableType]:
    if question.group is None:
        yield plain(f"{depth}  ({kind_of(question, lang)})", "dim")
    for choice in question.choices:
        yield plain(f"{depth}    {choice.value}: {told((choice.vi, choice.en), lang)}", "dim")
