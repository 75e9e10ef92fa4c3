"""`docs/deadlines.md`: every rule of the national pack, for whoever has to keep it and for whoever is called late."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from referral_contracts.payloads.basis import Confidence
from referral_contracts.rules.happenings import happening_name
from referral_contracts.rules.loading import load_packs
from referral_contracts.rules.pack import Pack, Rule
from referral_contracts.rules.words import limit_words, role_words
from tools.tables import code, table

PAGE: Final = Path("docs/deadlines.md")
PACK: Final = Path(__file__).resolve().parent.parent / "contracts/packs/national.toml"

_INTRODUCTION: Final = """# Thời hạn · Deadlines

Every rule of `contracts/packs/national.toml`: what has to be done, by whom, within what time, and where that stands.
How well a rule is known: {known}.

A clock *starts* when the bus is told the one thing, and *ends* when it is told the other. What starts nothing is listed
and explained, and no clock runs. [How to write a pack](rules.md) says what each field means, and how days are counted.

Mọi quy tắc trong `contracts/packs/national.toml`: việc phải làm, của ai, trong bao lâu, căn cứ vào đâu. Quy tắc mức N
chỉ được đo và hiển thị, không bao giờ nêu là quá hạn.

"""


def pages() -> Iterator[tuple[Path, str]]:
    """Yield the page of deadlines: a table of all rules, then a paragraph for each, so that one can point to it."""
    (pack,) = load_packs({PACK.name: PACK.read_text()})
    known = "; ".join(f"**{level.value}**, {level.en}" for level in Confidence)
    yield PAGE, _INTRODUCTION.format(known=known) + _overview(pack) + "".join(map(_paragraph, pack.rule))


def _overview(pack: Pack) -> str:
    rows = []
    for rule in pack.rule:
        if rule.valid_until is None:
            said = f"{rule.vi} · *{rule.en}*"
            rows.append((code(rule.id), said, *map(_both, (role_words(rule), limit_words(rule))), _level(rule)))
    head = ("rule", "việc phải làm · what is to be done", "của ai · whose", "thời hạn · limit", "known")
    return table(head, rows)


def _paragraph(rule: Rule) -> str:
    until = "" if rule.valid_until is None else f" until {rule.valid_until}"
    lines = [
        f"\n## {rule.id}{until}\n",
        f"{rule.vi} · *{rule.en}*. {_both(role_words(rule))}: {_both(limit_words(rule))}.\n",
        f"- {rule.source} ({_level(rule)})" + (f": “{rule.quote}”" if rule.quote else ""),
    ]
    if rule.condition_vi and rule.condition_en:
        lines.append(f"- khi · when: {rule.condition_vi} · *{rule.condition_en}*")
    told = {
        "bắt đầu · starts": rule.trigger,
        "đo bên cạnh · measured beside": rule.second,
        "kết thúc · ends": rule.required,
        "thôi áp dụng · applies no more": (*rule.cancelled_by, *rule.unless),
        "chỉ khi đã báo · only once told": rule.requires,
        "tạm dừng · stands still": rule.paused_by,
        "tính tiếp · goes on": rule.resumed_by,
        "báo chậm · a delay is told": rule.delay_told_by,
    }
    lines += [f"- {what}: {_names(names)}" for what, names in told.items() if names]
    lines += [f"- lâu hơn khi · longer with: {_names((one.when,))}: {one.limit}" for one in rule.longer]
    if rule.note_vi and rule.note_en:
        lines.append(f"- {rule.note_vi} · *{rule.note_en}*")
    return "\n".join(lines) + "\n"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"{code(name)} ({happening_name(name)[0]})" for name in names)


def _level(rule: Rule) -> str:
    level = rule.confidence.value
    limit = rule.limit_confidence
    return level if limit is None else f"{level}, limit {limit.value}"


def _both(words: tuple[str, str]) -> str:
    vi, en = words
    return vi if vi == en else f"{vi} · *{en}*"
