"""What is made of a `clock` section by who reads it, and how certain a form is."""

from collections.abc import Mapping
from typing import Any

from deadline_watcher.core.hearing import check_triggers
from referral_bus._clock_check import differing
from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError
from referral_contracts.payloads.base import label_of
from referral_contracts.payloads.clock import Trigger
from referral_contracts.payloads.registry import MODELS

Given = Mapping[str, Any]


def _triggers(told: Any) -> list[Trigger]:
    return [Trigger.model_validate(one) for one in told]


def bounded(given: Given) -> Given:
    """Let the watcher hear so many triggers more of somebody who told so many."""
    check_triggers(given["told"], given["more"])
    return {}


def compared(given: Given) -> Given:
    """Hold what the watcher is told against what the forms give."""
    if not isinstance(given["whole"], bool):
        raise RemoteError(Code.MALFORMED_VALUE)
    if differing(_triggers(given["told"]), _triggers(given["derived"]), whole=given["whole"]):
        raise RemoteError(Code.CLOCK_DIFFERS)
    return {}


def certain(given: Given) -> Given:
    """Return what a person has to be told of a form."""
    name, _, version = given["schema"].partition("/")
    major = version.partition(".")[0]
    model = MODELS.get((name, int(major))) if major.isdecimal() else None
    if model is None or given["schema"] != str(model.schema_id()):
        raise RemoteError(Code.UNKNOWN_SCHEMA)
    return {
        "status": model.about.status.value,
        "basis": [[part.place, part.confidence.value] for part in model.about.basis],
        "provisional": sorted(field for field, mark in model.model_fields.items() if label_of(mark).provisional),
    }
