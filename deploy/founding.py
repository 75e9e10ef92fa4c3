"""
Found a bus from a file that lists its agencies: keys for each, the trust root, version 1 of the directory.

Everything lies under one folder, a sub-folder for each agency with what its command line needs: ``keys.json`` and
``tls.pem`` (its owner's alone), ``trust.json``, ``ca.crt``, ``bus.toml``, ``log.policy``; the registrar also has the
three root keys of which two sign the directory's heads, the deadline watcher ``state-key.json``, without which nobody
can read what it has written, and whoever runs a witness of the log ``witness.key`` and ``witness.db``. ``pki`` holds
the authority that signs the certificates.
In a real deployment each agency makes its own keys and the registrar only ever sees the public ones; and each root key
is another person's, on another machine.
"""

import os
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from access import read_access
from difference import Wanted, wanted
from kafka_node import Authority, Held
from kafka_node.authority import Kind as Holder
from reaching import settings_of
from referral_bus._kafka import KafkaTransport
from referral_bus.keys import AgencyKeys, load_trust
from referral_bus.registrar import Registrar, Term, event_key_record, sealing_key_record, trust_root
from referral_contracts.directory import ROLE_ROUTER, ROLE_WATCHER, Directory, TrustRoot
from referral_contracts.directory_model import (
    ROLE_LOG,
    Delivery,
    Duty,
    Entry,
    Grant,
    Jurisdiction,
    MayKnow,
    MaySend,
    Names,
    Policy,
    Purpose,
    Use,
    grant_case,
)
from referral_contracts.encoding import format_time
from referral_contracts.keys import KEY_FILE_MODE
from referral_contracts.log.note import Kind, NoteKey
from referral_tls import Tls
from service_chassis.keyfile import STATE_KEY_SIZE, state_key_file
from witnessing import POLICY, WitnessPlace, who_witnesses, write_policies

_KEY_TERM_MS: Final = 90 * 24 * 3_600_000
"""Sealing keys live 90 days at most."""
_HEAD_MS: Final = 24 * 3_600_000
"""A head has to be renewed within a day: a directory that nobody looks after stops being believed."""
_BACKDATED_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
ROOT_FILES: Final = ("root.json", "root-2.json", "root-3.json")
"""One for each registrar; here they lie in one folder, because one person plays all."""
ROOT_THRESHOLD: Final = 2
"""How many of them have to sign: no one registrar changes the directory alone, and one may be away."""
_SERVICES: Final = frozenset({ROLE_ROUTER, ROLE_WATCHER, ROLE_LOG})


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """A founded bus, as its folder holds it."""

    home: Path
    plan: Mapping[str, Any]
    """The agencies' file."""
    trust: TrustRoot
    authority: Authority | None
    """Signs the certificates; None where everybody speaks in plaintext."""

    @classmethod
    def open(cls, home: Path, agencies: Path, authority: Authority | None) -> Self:
        """Return the bus in *home*, made from the file *agencies* when there is none yet."""
        plan = tomllib.loads(agencies.read_text("utf-8"))
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for agency in plan["agency"]:
            folder = home / "agencies" / agency["id"]
            if not (folder / "keys.json").exists():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                # Our services ask nothing of the log over HTTP; who owns a case or reads trails does.
                asks = _SERVICES.isdisjoint(agency["roles"])
                AgencyKeys.generate(agency["id"], agency.get("desks", ()), http=asks).save(folder / "keys.json")
            if "deadline-watcher" in agency["roles"] and not (folder / "state-key.json").exists():
                _write_secret(folder / "state-key.json", state_key_file(secrets.token_bytes(STATE_KEY_SIZE)))
        trust = home / "trust.json"
        if not trust.exists():
            trust.write_bytes(_trust(plan["bus"], home / "agencies" / "registrar").encode())
        for agency in plan["agency"]:
            (home / "agencies" / agency["id"] / "trust.json").write_bytes(trust.read_bytes())
        founded = cls(home=home, plan=plan, trust=load_trust(trust), authority=authority)
        founded.certify()
        return founded

    @property
    def agencies(self) -> list[str]:
        """Every agency and service, by id."""
        return [agency["id"] for agency in self.plan["agency"]]

    def folder(self, agency: str) -> Path:
        """Return the folder of *agency*."""
        return self.home / "agencies" / agency

    def keys(self, agency: str) -> AgencyKeys:
        """Return the private keys of *agency*."""
        return AgencyKeys.load(self.folder(agency) / "keys.json")

    @property
    def services(self) -> list[str]:
        """Those of them that are services of the bus."""
        return [name for name in self.agencies if name in read_access().services]

    def wanted(self, partitions: int) -> Wanted:
        """Return what the broker has to have: topics, access rules, quotas."""
        registrars = [agency["id"] for agency in self.plan["agency"] if "registrar" in agency["roles"]]
        return wanted(partitions, read_access(), self.agencies, registrars)

    def certify(self) -> None:
        """Give everybody a certificate, and a new one to whose old one has not long to live."""
        for name in self.agencies:
            self.held(name)

    def held(self, name: str) -> Held | None:
        """Return the certificate of the agency or service *name*, in its folder."""
        if self.authority is None:
            return None
        kind = Holder.SERVICE if name in read_access().services else Holder.AGENCY
        return self.authority.hold(kind, name, self.folder(name))

    def transport(self, bootstrap: str, name: str) -> KafkaTransport:
        """Return the way of *name* to the broker."""
        return transport_in(self.folder(name), bootstrap)

    def router_settings(self) -> dict[str, str]:
        """Return the router's variables, but for the broker."""
        return {
            "REFERRAL_BUS_TRUST": str(self.home / "trust.json"),
            "REFERRAL_BUS_ROUTER_KEY": str(self.folder("router") / "keys.json"),
            **settings_of(self.held("router")),
        }

    def watcher_settings(self) -> dict[str, str]:
        """Return the deadline watcher's variables, but for the broker and the rules."""
        folder = self.folder("deadline-watcher")
        return {
            "REFERRAL_BUS_TRUST": str(self.home / "trust.json"),
            "REFERRAL_BUS_WATCHER_KEY": str(folder / "keys.json"),
            "REFERRAL_BUS_WATCHER_STATE_KEY": str(folder / "state-key.json"),
            **settings_of(self.held("deadline-watcher")),
        }

    def log_settings(self, port: int) -> dict[str, str]:
        """Return the variables of an audit log that publishes on *port*, but for the broker; what they name is made."""
        folder = self.home / "log"
        folder.mkdir(mode=0o700, exist_ok=True)
        # To whoever has a policy this changes nothing: one that names witnesses keeps them.
        self.tell_policy(())
        return {
            # Its own, as every agency has one: whoever is named in it as a witness is asked from the next start on.
            "REFERRAL_BUS_LOG_POLICY": str(self.folder("audit-log") / POLICY),
            "REFERRAL_BUS_TRUST": str(self.home / "trust.json"),
            "REFERRAL_BUS_LOG_KEY": str(self.folder("audit-log") / "keys.json"),
            "REFERRAL_BUS_LOG_STORE": f"sqlite:///{(folder / 'log.db').resolve()}",
            "REFERRAL_BUS_LOG_TILES": str(folder / "tiles"),
            "REFERRAL_BUS_LOG_HTTP_PORT": str(port),
            **settings_of(self.held("audit-log")),
        }

    def tell_addresses(self, bootstrap: str, log: str | None = None) -> None:
        """Write down for every agency where the broker is, and the *log*, if there is one."""
        for agency in self.agencies:
            text = f'agency = "{agency}"\nbootstrap = "{bootstrap}"\n' + (f'log = "{log}"\n' if log else "")
            (self.folder(agency) / "bus.toml").write_text(text, "utf-8")

    def witnesses(self) -> list[WitnessPlace]:
        """Return where the witnesses are that agencies of the plan run; what they need is made when it is missing."""
        return [WitnessPlace.of(agency, self.trust.bus, self.folder(agency)) for agency in who_witnesses(self.plan)]

    def tell_policy(self, witnesses: Sequence[WitnessPlace]) -> None:
        """Write down for every agency with whose key the log signs, and who has to have seen what it signs."""
        key = NoteKey(f"{self.trust.bus}.log", Kind.ED25519, self.keys("audit-log").signing.verify_key)
        write_policies([self.folder(agency) for agency in self.agencies], key, witnesses)

    def first_change(self, now_ms: int) -> tuple[bytes, bytes]:
        """Return the change that is version 1 of the directory, and its signature."""
        entries = [self._entry(agency, now_ms) for agency in self.plan["agency"]]
        return self._registrar().change(None, now_ms, _HEAD_MS, agencies=entries, policy=self._policy())

    def renewal(self, previous: Directory, now_ms: int) -> tuple[bytes, bytes]:
        """Return the change that renews the head and nothing else, and its signature."""
        return self._registrar().change(previous, now_ms, _HEAD_MS)

    def _registrar(self) -> Registrar:
        # A root key signs heads and nothing else: the registrar's own events have a key in the directory.
        files = [self.folder("registrar") / name for name in ROOT_FILES]
        keys = [AgencyKeys.load(file).signing for file in files if file.exists()]
        return Registrar(agency="registrar", bus=self.plan["bus"], keys=keys)

    def _entry(self, agency: Mapping[str, Any], now_ms: int) -> Entry:
        name, bus = agency["id"], self.plan["bus"]
        keys = self.keys(name)
        term = Term(from_ms=now_ms - _BACKDATED_MS, until_ms=now_ms + _KEY_TERM_MS)
        if ROLE_LOG in agency["roles"]:
            # It signs checkpoints and statements, no events; and nothing is ever sealed to it.
            records = [event_key_record(bus, name, keys.signing, term, use=Use.LOG)]
        else:
            records = [event_key_record(bus, name, keys.signing, term)]
            if keys.http is not None:
                records.append(event_key_record(bus, name, keys.http, term, use=Use.HTTP))
            for address, sealing in keys.sealing.items():
                desk = address.partition("/")[2] or None
                records.append(sealing_key_record(bus, name, sealing[0], term, signer=keys.signing, desk=desk))
        province = agency.get("province")
        places = () if province is None else (Jurisdiction(commune=agency.get("commune"), province=province),)
        return Entry(
            delivery=Delivery(kind="bus"),
            desks=tuple(agency.get("desks", ())),
            grants=tuple(_grant(told, now_ms) for told in agency.get("grants", ())) or None,
            duty=Duty(hours=agency.get("hours"), phone=agency["phone"]) if "phone" in agency else None,
            id=name,
            jurisdiction=places,
            keys=tuple(records),
            names=Names(en=agency["en"], vi=agency["vi"]),
            parent=agency.get("parent"),
            roles=tuple(agency["roles"]),
        )

    def _policy(self) -> Policy:
        told = self.plan["policy"]
        return Policy(
            keep_closed_ms=told["keep_closed_hours"] * _HOUR_MS,
            may_know=tuple(MayKnow(roles=tuple(rule["roles"]), answers=rule["answers"]) for rule in told["may_know"]),
            may_open=tuple(told["may_open"]),
            may_send=tuple(
                MaySend(
                    recipients=tuple(rule["recipients"]), senders=tuple(rule["senders"]), verbs=tuple(rule["verbs"])
                )
                for rule in told["may_send"]
            ),
            window_ms=told["window_hours"] * _HOUR_MS,
        )


def _trust(bus: str, folder: Path) -> TrustRoot:
    for name in ROOT_FILES:
        if not (folder / name).exists():
            AgencyKeys.generate("registrar").save(folder / name)
    return trust_root(bus, [AgencyKeys.load(folder / name).signing for name in ROOT_FILES], ROOT_THRESHOLD)


def _grant(told: Mapping[str, Any], now_ms: int) -> Grant:
    return Grant(
        case=None if "case" not in told else grant_case(told["case"]),
        province=told.get("province"),
        purpose=Purpose(told["purpose"]),
        valid_from=format_time(now_ms - _BACKDATED_MS),
        valid_until=format_time(now_ms + told["days"] * _DAY_MS),
    )


def transport_in(folder: Path, bootstrap: str) -> KafkaTransport:
    """Return the way to the broker of whom *folder* is; in plaintext where it has no certificate."""
    held = Held(folder)
    tls = Tls(certificate=held.certificate, authority=held.authority) if held.certificate.exists() else None
    return KafkaTransport(bootstrap, ssl_context=None if tls is None else tls.context())


def _write_secret(path: Path, value: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_FILE_MODE), "wb") as file:
        file.write(value)
