"""The parts of `contracts/SPEC.md` that are made from the code; the words around them are a person's."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from referral_contracts import clocks, encoding, envelope, paper_clocks, topics, wire
from referral_contracts.codes import Blame
from referral_contracts.directory_model import MAX_KEYS
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.registry import MODELS, PAPERS, USES
from referral_router.core.fold import MAX_CASE_CLAIMS, MAX_CLAIMS, MAX_GHOST_CLAIMS, MAX_GHOSTS
from referral_router.core.room import MAX_ADDRESSES, MAX_CHOSEN, MAX_HANDOFFS, MAX_OPENED
from tools import codes_page, lifecycle_page, opening
from tools.tables import code, table
from tools.vectors.kinds import KINDS
from tools.vectors.life import Life

SPEC: Final = Path("contracts/SPEC.md")
ROOT: Final = Path(__file__).resolve().parent.parent
_BLOCK: Final = re.compile(r"(<!-- generated: ([a-z]+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def _bodies() -> str:
    rows = []
    for verb, models in USES.items():
        own = [code(model.schema_id()) for model in models if model not in PAPERS or not set(PAPERS) <= set(models)]
        rows.append((code(verb.value), ", ".join([*own, *(["papers"] if set(PAPERS) <= set(models) else [])])))
    papers = ", ".join(code(model.schema_id()) for model in PAPERS)
    return f"{table(('verb', 'bodies, beside `clock/1.0`'), rows)}\nPapers are {papers}.\n"


def _codes() -> str:
    intro = f"The third column is one of {', '.join(blame.value for blame in Blame)}:\n\n{codes_page.blames()}\n"
    return intro + codes_page.table_of_codes()


def _forms() -> str:
    rows = (
        (
            code(model.schema_id()),
            f"{model.about.vi} / {model.about.en}",
            code(model.about.status.value),
            "; ".join(f"{part.place} ({part.confidence.value}: {part.en})" for part in model.about.basis),
        )
        for model in sorted(MODELS.values(), key=lambda model: model.schema_id())
    )
    return table(("schema", "name", "status", "rests on"), rows)


def _kinds() -> str:
    rows = (
        (code(name), kind.about, ", ".join(map(code, kind.given)), ", ".join(map(code, kind.comes)))
        for name, kind in KINDS.items()
    )
    return table(("kind", "what is tried", "given", "has to come of it, when valid"), rows)


def _limits() -> str:
    kib = 1024
    rows = (
        ("an event's bytes", f"{topics.ENVELOPE_MAX // kib} KiB"),
        ("a submission with headers (`max.message.bytes`)", f"{topics.SUBMISSION_MAX // kib} KiB"),
        ("a directory change", f"{topics.CHANGE_MAX // kib} KiB"),
        ("a record of inboxes, ledger, state, directory", f"{topics.OUTPUT_MAX // kib} KiB"),
        ("recipients of an event", str(envelope.MAX_RECIPIENTS)),
        ("sections of an event", str(wire.MAX_SECTIONS)),
        ("readers of a section", str(wire.MAX_READERS)),
        ("plaintext of a section", f"{wire.PADDED_SIZES[-1]:,} bytes less 4"),
        ("nesting of JSON inside a section", str(encoding.MAX_DEPTH)),
        ("ids that a party uses in a case within 3 W", str(MAX_CLAIMS)),
        ("ids that all parties of a case use in it within 3 W", str(MAX_CASE_CLAIMS)),
        ("ids that one who is no party uses in a case within 3 W", str(MAX_GHOST_CLAIMS)),
        ("cases of a partition in which one who is no party has used ids", str(MAX_GHOSTS)),
        (f"hand-offs of a case; the last {MAX_OPENED} are for its owner to open", str(MAX_HANDOFFS)),
        ("hand-offs that one agency opens in a case", str(MAX_OPENED)),
        ("addresses that the events of a case go to; half of them are for its owner to bring in", str(MAX_ADDRESSES)),
        ("addresses that one agency writes to of its own choice in a case that it does not own", str(MAX_CHOSEN)),
        ("keys of an entry", str(MAX_KEYS)),
    )
    return table(("what", "at most"), rows)


def _triggers() -> str:
    told: dict[tuple[str, str], list[str]] = {}
    for form_verb, names in clocks.BY_FORM.items():
        for name in names:
            told.setdefault((code(Mau01.schema_id()), name), []).append(code(form_verb.value))
    for (verb, service), name in clocks.BY_SERVICE.items():
        papers = [code(model.schema_id()) for model, asked in clocks.ASKING_PAPERS.items() if asked is service]
        what = " or ".join([f"a request for {code(service.value)}", *papers])
        told.setdefault((what, name), []).append(code(verb.value))
    made = {**paper_clocks.MADE, **paper_clocks.REPORTED}
    filed = [(code(model.schema_id()), "wherever it says something new", code(name)) for model, name in made.items()]
    rows = [(what, ", ".join(verbs), code(name)) for (what, name), verbs in told.items()]
    return table(("body, or the body that is answered", "verb", "trigger"), [*rows, *filed])


def blocks(life: Life) -> Mapping[str, Callable[[], str]]:
    """Return what makes each block."""
    return {
        "bodies": _bodies,
        "cases": lifecycle_page.cases,
        "codes": _codes,
        "forms": _forms,
        "handoffs": lifecycle_page.handoffs,
        "kinds": _kinds,
        "life": lambda: opening.text(life),
        "limits": _limits,
        "receipts": lifecycle_page.receipts,
        "triggers": _triggers,
        "verbs": lifecycle_page.verbs,
    }


def pages(life: Life) -> Iterator[tuple[Path, str]]:
    """Yield the page with its blocks as the code makes them. A block that nothing makes is a KeyError."""
    made = blocks(life)
    text = (ROOT / SPEC).read_text()
    yield SPEC, _BLOCK.sub(lambda found: f"{found[1]}{made[found[2]]()}{found[3]}", text)
