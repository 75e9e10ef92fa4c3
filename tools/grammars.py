"""
Everything that is canonical JSON, as regular expressions: `contracts/grammars.json`, made from the wire models.

An expression matches exactly the one spelling, as a whole, times that exist among it; its syntax is what RE2,
ECMAScript and Python share. Only how long a list may be is not in it, for RE2 does not count that far, nor what takes
more than one member to see.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from referral_contracts.encoding import TIME

PAGE: Final = Path("contracts/grammars.json")
_LARGEST: Final = 2**53 - 1
_CHARACTER: Final = r'(?:[^"\\\x00-\x1f]|\\["\\bfnrt]|\\u00(?:0[0-7bef]|1[0-9a-f]))'
_SPECIAL: Final = re.compile(r"[.*+?^$|()\[\]{}\\]")
_RE2_REPEATS: Final = 1000
_LEAP: Final = "(?:0[48]|[2468][048]|[13579][26])"
YEARS: Final = ("000[1-9]", "00[1-9][0-9]", "0[1-9][0-9]{2}", "[1-9][0-9]{3}")
"""A year matches one of them alone: an engine that goes back tries each way through each time of a list."""
_DAY: Final = (
    f"(?:{'|'.join(YEARS)})-"
    "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_MOMENT: Final = (
    rf"(?:{_DAY}|(?:[0-9]{{2}}{_LEAP}|{_LEAP}00)-02-29)"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
)
"""A time that exists: where a model has only the pattern of a time, it checks for the rest by itself."""


def of_schema(schema: Mapping[str, Any]) -> str:
    """Return what the bytes of a value of this JSON Schema match as a whole."""
    return _value(schema, schema.get("$defs", {}))


def _value(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _value(defs[schema["$ref"].removeprefix("#/$defs/")], defs)
    if "anyOf" in schema:
        return _either(_value(option, defs) for option in schema["anyOf"] if option != {"type": "null"})
    if "const" in schema or "enum" in schema:
        return _either(_SPECIAL.sub(r"\\\g<0>", json.dumps(word)) for word in schema.get("enum", [schema.get("const")]))
    match schema["type"]:
        case "object":
            return _object(schema, defs)
        case "array":
            item = _value(schema["items"], defs)
            whole = rf"{item}(?:,{item})*"
            return rf"\[{whole}\]" if schema.get("minItems") else rf"\[(?:{whole})?\]"
        case "boolean":
            return "(?:true|false)"
        case "integer":
            return _integer(schema.get("minimum", -_LARGEST), schema.get("maximum", _LARGEST))
        case _:
            return f'"{_text(schema)}"'


def _either(options: Iterable[str]) -> str:
    found = list(options)
    return found[0] if len(found) == 1 else f"(?:{'|'.join(found)})"


def _text(schema: Mapping[str, Any]) -> str:
    if schema.get("pattern") == TIME:
        return _MOMENT
    if "pattern" in schema:
        return str(schema["pattern"]).removeprefix("^").removesuffix("$").replace("(/", "(?:/")
    most = schema.get("maxLength", _RE2_REPEATS + 1)
    return f"{_CHARACTER}{{0,{most}}}" if most <= _RE2_REPEATS else f"{_CHARACTER}*"


def _object(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    members = [
        # What has a value by default is written all the same; what may be null is left out.
        (rf'"{name}":{_value(member, defs)}', name in schema.get("required", ()) or member.get("default") is not None)
        for name, member in sorted(schema["properties"].items())
    ]
    return rf"\{{{_members(members)}\}}"


def _members(members: Sequence[tuple[str, bool]]) -> str:
    if not members:
        return ""
    (first, needed), rest = members[0], members[1:]
    following = "".join(f",{member}" if always else f"(?:,{member})?" for member, always in rest)
    if needed:
        return first + following
    if any(always for _, always in rest):
        return f"(?:{first},)?{_members(rest)}"
    others = _members(rest)
    return f"(?:{first}{following}{'|' if others else ''}{others})?"


def _integer(least: int, most: int) -> str:
    below = [f"-{_between(1, -least)}"] if least < 0 else []
    zero = ["0"] if least <= 0 <= most else []
    return _either([*zero, *below, _between(max(1, least), most)])


def _between(least: int, most: int) -> str:
    """Return what the numbers from *least*, which is 1 or more, to *most* are written as."""
    shortest, longest = len(str(least)), len(str(most))
    if shortest == longest:
        return _of_one_length(str(least), str(most))
    between = [f"[1-9][0-9]{{{shortest},{longest - 2}}}"] if longest > shortest + 1 else []
    return _either(
        [_of_one_length(str(least), "9" * shortest), *between, _of_one_length(f"1{'0' * (longest - 1)}", str(most))]
    )


def _of_one_length(least: str, most: str) -> str:
    digits = len(least)
    if least[1:] == "0" * (digits - 1) and most[1:] == "9" * (digits - 1):
        return f"[{least[0]}-{most[0]}]" + (f"[0-9]{{{digits - 1}}}" if digits > 1 else "")
    if least[0] == most[0]:
        return least[0] + _of_one_length(least[1:], most[1:])
    # The first digit's lowest, its highest, and any between, behind which everything goes.
    low, high = int(least[0]), int(most[0])
    options = [
        least[0] + _of_one_length(least[1:], "9" * (digits - 1)),
        most[0] + _of_one_length("0" * (digits - 1), most[1:]),
    ]
    if high - low > 1:
        options.append(_of_one_length(f"{low + 1}{'0' * (digits - 1)}", f"{high - 1}{'9' * (digits - 1)}"))
    return _either(options)


def pages(schemas: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Path, str]]:
    """Yield the file, made from the *schemas* of what is canonical JSON."""
    told = {name: f"^(?:{of_schema(schema)})$" for name, schema in schemas.items()}
    yield PAGE, json.dumps(told, ensure_ascii=False, indent=1) + "\n"
