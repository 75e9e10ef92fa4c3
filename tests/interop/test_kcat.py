"""Somebody who has kcat and a reader in another language, and no program of ours, on a bus that runs."""

import json
import re
import subprocess
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from kafka_node import NotInstalled
from referral_contracts import topics
from referral_contracts.encoding import b64, event_hash, unb64
from referral_contracts.envelope import Envelope
from referral_contracts.sealing import unseal
from referral_contracts.sections import encode_section
from referral_contracts.topics import SUBMISSIONS, partition_for
from referral_contracts.verbs import Verb
from running import PARTITIONS, RunningBus
from tests.contracts.payloads.forms import example
from tests.house.tree import ROOT
from tests.interop.readers import Program, found

pytestmark = [pytest.mark.interop, pytest.mark.kafka]

HOTLINE: Final = "hotline-111"
COMMUNE: Final = "ubnd-xa-thi-du"
WATCHER: Final = "deadline-watcher"
CLOCK: Final = '{"body":{"actor":{"role":"system"},"triggers":"none"},"schema":"clock/1.0"}'
PATIENCE_S: Final = 30.0
README: Final = ROOT / "contracts/readers/README.md"


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    try:
        with RunningBus(tmp_path_factory.mktemp("bus"), say=print) as running:
            yield running
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


@dataclass(frozen=True, slots=True)
class Stranger:
    """What somebody does with kcat alone."""

    bootstrap: str
    settings: Path
    """As the page beside the readers writes them."""

    def _kcat(self, *arguments: str) -> str:
        kcat = found("kcat", "kcat (on Debian and Ubuntu: apt install kcat)")
        run = subprocess.run(
            [kcat, "-F", str(self.settings), "-b", self.bootstrap, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return run.stdout

    def shows(self, topic: str) -> Sequence[tuple[str, str]]:
        """Return the lines of a topic as the page beside the readers has a person call them up: key and value."""
        told = self._kcat(
            *("-C", "-t", topic, "-o", "beginning", "-e", "-q"),
            *("-X", "isolation.level=read_committed", "-f", r"%k %s\n"),
        )
        return [(key, value) for key, _, value in (line.partition(" ") for line in told.splitlines())]

    def shows_on(self, topic: str, count: int) -> Sequence[tuple[str, str]]:
        """Return them once there are so many."""
        deadline = time.monotonic() + PATIENCE_S
        while len(shown := self.shows(topic)) < count:
            assert time.monotonic() < deadline, shown
            time.sleep(0.2)
        return shown

    def submits(self, came: Mapping[str, Any], folder: Path) -> str:
        """Send what a reader wrote; return its case."""
        value = unb64(came["value"])
        subject: str = json.loads(value)["subject"]
        (folder / "value").write_bytes(value)
        place = str(partition_for(subject, PARTITIONS))
        self._kcat(
            *("-P", "-t", SUBMISSIONS, "-p", place, "-k", subject, "-H", f"signature={came['signature']}"),
            str(folder / "value"),
        )
        return subject


def stranger_as(agency: str, bus: RunningBus, folder: Path) -> Stranger:
    """Return who has an agency's certificate."""
    held = bus.founding.held(agency)
    settings = folder / f"{agency}.conf"
    if held is None:
        settings.write_text("")
    else:
        (page,) = re.findall(r"(?:^    [a-z.]+=.+\n)+", README.read_text(), flags=re.MULTILINE)
        page = page.replace("tls.pem", str(held.certificate)).replace("ca.crt", str(held.authority))
        settings.write_text(textwrap.dedent(page))
    return Stranger(bus.bootstrap, settings)


def read_directory(stranger: Stranger, program: Program, bus: RunningBus) -> Mapping[str, Any]:
    """Return the entries that the reader takes, by the trust root alone."""
    told = dict(stranger.shows(topics.DIRECTORY))
    head = told.pop("@head")
    trust = json.loads((bus.founding.home / "trust.json").read_text())
    entries = {key: {"utf8": value} for key, value in told.items()}
    asked = {"kind": "directory", "trust_root": trust, "entries": entries, "head": {"utf8": head}, "in_use": None}

    assert program.came([asked]) == [{"came": {"version": json.loads(head)["head"]["version"]}}]
    return {key: json.loads(value) for key, value in told.items()}


def sealing_key(directory: Mapping[str, Any], agency: str) -> str:
    (key,) = (record["public"] for record in directory[agency]["keys"] if record["use"] == "seal")
    return str(key)


def test_an_event_of_another_language_crosses_kafka_and_kcat_shows_it(
    program: Program, bus: RunningBus, tmp_path: Path
) -> None:
    stranger, commune = (stranger_as(name, bus, tmp_path) for name in (HOTLINE, COMMUNE))
    directory = read_directory(stranger, program, bus)
    before = len(commune.shows(topics.inbox(COMMUNE)))
    told_before = len(stranger.shows(topics.inbox(HOTLINE)))

    def written(verb: Verb, texts: Mapping[str, Sequence[str]], to: Sequence[str], **more: str) -> dict[str, Any]:
        parts = [
            {"plaintext": text, "readers": {name: sealing_key(directory, name) for name in (HOTLINE, *names)}}
            for text, names in texts.items()
        ]
        event = {"bus": "training", "data": {"recipients": to}, "exercise": True, "source": HOTLINE, **more}
        seed = b64(bus.founding.keys(HOTLINE).signing.to_seed())
        now = time.time_ns() // 1_000_000
        asked = {"kind": "write", "event": event, "verb": verb.value, "parts": parts, "seed": seed, "now": now}
        (came,) = program.came([asked])
        found: dict[str, Any] = came["came"]
        return found

    said = encode_section(example("mau01")).decode()
    opened = written(Verb.CASE_OPENED, {said: (), CLOCK: (WATCHER,)}, ())
    case = stranger.submits(opened, tmp_path)
    duty = written(Verb.ASSIGNED, {said: (COMMUNE,), CLOCK: (WATCHER,)}, (COMMUNE,), subject=case)
    stranger.submits(duty, tmp_path)

    verdicts = stranger.shows_on(topics.inbox(HOTLINE), told_before + 2)[told_before:]
    (delivery,) = commune.shows_on(topics.inbox(COMMUNE), before + 1)[before:]
    assert [(case, "verdict", "accepted")] * 2 == [
        (key, json.loads(value)["kind"], json.loads(value)["code"]) for key, value in verdicts
    ]
    assert event_hash(unb64(duty["value"])) == json.loads(verdicts[1][1])["event"]
    assert (case, unb64(duty["value"]).decode()) == delivery
    assert said == opened_by(program, bus, delivery[1])


def opened_by(program: Program, bus: RunningBus, value: str) -> str:
    """Return what a delivery says to the commune: to the reader, and to us."""
    envelope = Envelope.decode(value.encode())
    key = bus.founding.keys(COMMUNE).sealing[COMMUNE][0]
    section = json.loads(value)["data"]["sections"][0]
    context = {
        **{name: getattr(envelope, name) for name in ("bus", "id", "source", "subject")},
        "handoff": None,
        "section": "s0",
    }
    secret = {"base64url": b64(key.to_bytes())}
    (came,) = program.came(
        [{"kind": "section", "section": section, "context": context, "address": COMMUNE, "secret": secret}]
    )
    ours = unseal(envelope.data.sections[0], envelope.seal_context(0), COMMUNE, key)

    assert ours == unb64(came["came"]["plaintext"]["base64url"])
    return ours.decode()
