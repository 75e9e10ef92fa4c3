"""What SPEC says in its own words, held against the code. Its tables are made from the code: see `tools/spec.py`."""

import re

import pytest

from referral_contracts import clocks, directory, directory_model, envelope, sealing, topics, wire
from referral_contracts.codes import Code
from referral_contracts.lifecycle import CaseState, Part, Receipt, State
from referral_contracts.log import erasing
from referral_contracts.paper_clocks import EXAMINATIONS
from referral_contracts.payloads.basis import Status
from referral_contracts.signing import Typ
from referral_contracts.verbs import TYPE_PREFIX, Verb
from tests.house.tree import ROOT
from tools.vectors.kinds import KINDS

PAGE = (ROOT / "contracts/SPEC.md").read_text()
WORDS = re.sub(r"<!-- generated: .*?<!-- /generated -->", "", PAGE, flags=re.DOTALL)

NAMES = {
    *(item.value for kind in (Code, CaseState, State, Receipt, Part, Typ, Status) for item in kind),
    *KINDS,
    *clocks.TRIGGERS,
    directory.ROLE_WATCHER,
    directory_model.ROLE_LOG,
    erasing.ASKED,
    "content-digest",
    "off-bus",
}


def test_every_code_that_it_names_is_one() -> None:
    named = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", WORDS))

    assert named - NAMES == set()


def test_every_trigger_is_in_it_or_made_of_a_measure() -> None:
    own = clocks.TRIGGERS - set(clocks.BY_MEASURE.values())
    made = {
        f"{group}-{what}" for group in EXAMINATIONS.values() for what in ("order-received", "examination-concluded")
    }

    assert sorted(name for name in own - made if f"`{name}`" not in PAGE) == []
    assert sorted(group for group in EXAMINATIONS.values() if f"`{group}` (" not in WORDS) == []


def test_every_verb_that_it_names_is_one() -> None:
    named = set(re.findall(r"`((?:case|handoff)\.[a-z.]+)`", WORDS))

    assert named - {verb.value for verb in Verb} == set()


def test_every_sort_of_signature_is_in_it() -> None:
    assert [typ for typ in Typ if f"| `{typ.value}` |" not in WORDS] == []


@pytest.mark.parametrize(
    "said",
    [
        f'"{sealing._LABEL}", "{sealing._WIRE_VERSION}"',
        f'"{envelope._CASE_LABEL.decode()}"',
        f"`{TYPE_PREFIX}`",
        f"at most {topics.ENVELOPE_MAX:,}",
        f"at most {topics.CHANGE_MAX:,} bytes",
        f"up to {envelope.MAX_RECIPIENTS} addresses",
        f"up to {wire.MAX_SECTIONS} sealed sections",
        f"1 to {wire.MAX_READERS} of",
        f"base64url of {wire.ENC_SIZE} bytes",
        ", ".join(str(size + wire.TAG_SIZE) for size in wire.PADDED_SIZES[:-1]),
        *(
            f"`{name}`"
            for name in (
                topics.SUBMISSIONS,
                topics.DIRECTORY_SUBMISSIONS,
                topics.LEDGER,
                topics.STATE,
                topics.WATCHER_STATE,
                topics.DIRECTORY,
            )
        ),
    ],
)
def test_it_says(said: str) -> None:
    assert said in WORDS


@pytest.mark.parametrize("page", ["contracts/SPEC.md", "docs/threat-model.md", "docs/lifecycle.md"])
def test_its_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text())

    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []
