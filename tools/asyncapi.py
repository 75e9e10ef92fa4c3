"""The topics, headers and messages as AsyncAPI 3.0, seen from the bus: `contracts/asyncapi.yaml`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from referral_contracts import topics
from referral_contracts.encoding import AGENCY, SUBJECT
from referral_contracts.verbs import WIRE_VERSION

PAGE: Final = Path("contracts/asyncapi.yaml")
_P: Final = 12
"""Partitions in the generated file; a bus chooses its own number, once."""

_ABOUT: Final = {
    topics.H_SIGNATURE: "Detached JWS over the value (SPEC section 6).",
    topics.H_KIND: "What the record is.",
    topics.H_DECISION: "The decision, a leaf (SPEC section 13).",
    topics.H_DELIVERY: "The delivery, a leaf (SPEC section 13).",
    topics.H_PATH: "Inclusion path of the leaf, binary: u32 index, u32 size, hashes of 32 bytes.",
    topics.H_ROOT: "Detached JWS of the router over the root statement.",
    topics.H_ADMITTED: "The time that the tick moved the partition to.",
}
_TOPIC_OF_INBOX: Final = topics.inbox("{agency}")

_SUBJECT: Final = {"type": "string", "pattern": SUBJECT, "description": "The case pseudonym."}
_NAME: Final = {"type": "string", "description": "Agency id, @policy or @head."}
_Message = Mapping[str, object]


def _schema(name: str) -> dict[str, str]:
    return {"$ref": f"./schemas/{name}.json"}


def _message(
    summary: str,
    payload: Mapping[str, object],
    headers: Sequence[str] = (),
    *,
    kind: bytes | None = None,
    key: Mapping[str, object] | None = _SUBJECT,
) -> dict[str, Any]:
    properties: dict[str, Any] = {name: {"type": "string", "description": _ABOUT[name]} for name in headers}
    if kind is not None:
        properties = {topics.H_KIND: {"const": kind.decode(), "description": _ABOUT[topics.H_KIND]}, **properties}
    found: dict[str, Any] = {"summary": summary}
    if properties:
        found["headers"] = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    found["payload"] = dict(payload)
    if key is not None:
        found["bindings"] = {"kafka": {"key": dict(key), "bindingVersion": "0.5.0"}}
    return found


def _messages() -> dict[str, _Message]:
    signed, proof = (topics.H_SIGNATURE,), (topics.H_PATH, topics.H_ROOT)
    decided = {"oneOf": [_schema("envelope"), _schema("directory-change"), {"const": ""}]}
    return {
        "submission": _message("An event, as an agency signed it.", _schema("envelope"), signed),
        "tick": _message("The deadline watcher's (SPEC section 16).", _schema("tick"), signed, key=None),
        "directoryChange": _message("A registrar's.", _schema("directory-change"), signed, key=None),
        "delivery": _message(
            "One recipient's copy of an event.",
            _schema("envelope"),
            (*signed, topics.H_DELIVERY, *proof),
            kind=topics.KIND_DELIVERY,
        ),
        "verdict": _message("The answer to one submission.", _schema("verdict"), proof, kind=topics.KIND_VERDICT),
        "entry": _message("An agency, or a service of the bus.", _schema("directory-entry"), key=_NAME),
        "policy": _message("Who may speak to whom.", _schema("directory-policy"), key=_NAME),
        "head": _message("What the directory is, signed.", _schema("directory-head"), key=_NAME),
        "ledgerEvent": _message(
            "A submission with its decision. Empty, and perhaps unsigned, where nobody is known to have said it.",
            decided,
            (*signed, topics.H_DECISION, *proof),
            kind=topics.KIND_EVENT,
        ),
        "ledgerTick": _message(
            "A tick, in its place among the events.",
            _schema("tick"),
            (*signed, topics.H_ADMITTED),
            kind=topics.KIND_TICK,
            key=None,
        ),
    }


def _channels() -> dict[str, Any]:
    config = {spec.name: spec.config for spec in topics.topic_specs(_P, ["agency"])}
    rows: dict[str, tuple[str, int, str, tuple[str, ...]]] = {
        "submissions": (topics.SUBMISSIONS, _P, "What agencies say.", ("submission", "tick")),
        "directorySubmissions": (topics.DIRECTORY_SUBMISSIONS, 1, "What registrars change.", ("directoryChange",)),
        "inbox": (_TOPIC_OF_INBOX, 1, "What one agency is told.", ("delivery", "verdict")),
        "directory": (topics.DIRECTORY, 1, "Who is on the bus; compacted.", ("entry", "policy", "head")),
        "ledger": (topics.LEDGER, _P + 1, "Every submission and its decision.", ("ledgerEvent", "ledgerTick")),
    }
    found: dict[str, Any] = {}
    for channel, (address, partitions, description, messages) in rows.items():
        settings = config.get(address) or config[topics.inbox("agency")]
        found[channel] = {
            "address": address,
            "description": description,
            "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in messages},
            "bindings": {
                "kafka": {
                    "topic": address,
                    "partitions": partitions,
                    "x-config": dict(settings),
                    "bindingVersion": "0.5.0",
                }
            },
        }
    found["inbox"]["parameters"] = {"agency": {"description": f"Agency id, {AGENCY}"}}
    return found


def _operation(action: str, channel: str, messages: Sequence[str], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"} for message in messages],
    }


def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "referral-bus",
            "version": WIRE_VERSION.removeprefix("v") + ".0.0",
            "description": "Child-protection referrals between agencies on Apache Kafka. SPEC.md beside this file is"
            f" the text; this is its list of topics for machines. Here are {_P} partitions; a bus chooses once.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": _channels(),
        "operations": {
            "takeSubmission": _operation("receive", "submissions", ("submission", "tick"), "Judge what agencies say."),
            "takeDirectoryChange": _operation(
                "receive", "directorySubmissions", ("directoryChange",), "Judge what registrars change."
            ),
            "deliver": _operation("send", "inbox", ("delivery",), "Give a recipient its copy."),
            "answer": _operation("send", "inbox", ("verdict",), "Tell the sender what became of its event."),
            "publishDirectory": _operation("send", "directory", ("entry", "policy", "head"), "Tell who is on the bus."),
            "record": _operation("send", "ledger", ("ledgerEvent", "ledgerTick"), "Keep what was decided."),
        },
        "components": {"messages": _messages()},
    }


def pages() -> Iterator[tuple[Path, str]]:
    """Yield the file."""
    text = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120)
    yield PAGE, "# Made by `make generate`.\n" + text
