"""The filled-in forms of the example case, and small ones made by hand."""

from pathlib import Path
from typing import Final

from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.payload import Payload
from referral_contracts.sections import read_draft

EXAMPLES: Final = Path(__file__).resolve().parents[3] / "examples"
DRAFTS: Final = sorted(EXAMPLES.glob("*.json"))
ACTOR: Final = Actor(role=Role.CHILD_PROTECTION_WORKER, staff_number="XTD-0012")


def example(name: str) -> Payload:
    return read_draft((EXAMPLES / f"{name}.json").read_bytes())
