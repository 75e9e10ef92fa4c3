"""
Who speaks, with which keys, to which broker: an option, or else the environment, or else the agency's folder.

The folder holds ``keys.json``, ``trust.json``, ``bus.toml`` (``agency = "…"``, ``bootstrap = "host:port"``),
``tls.pem`` and ``ca.crt``, by which it and the broker know each other, and, once something was done, ``store.db``;
a registrar's also ``root.json``, the key that signs the directory's heads (one who holds several registrars'
keys, as on a bus for practice, has ``root-2.json`` and so on beside it).
Where the bus has a log, ``log.policy`` says whose it is and which witnesses count (c2sp.org/tlog-policy); where it is,
that file tells, or ``log = "http://…"`` in ``bus.toml``.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.files import read_bytes, read_named
from referral_bus.keys import AgencyKeys, load_trust
from referral_bus.log import LogAccess, OpenLog
from referral_contracts.codes import Code
from referral_contracts.directory import TrustRoot
from referral_contracts.errors import LocalError
from referral_contracts.log.policy import Policy
from referral_tls import Tls

_PREFIX: Final = "REFERRAL_BUS_"
_BUS_FILE: Final = "bus.toml"
_IN_FOLDER: Final = {
    "keys": "keys.json",
    "log_policy": "log.policy",
    "root": "root.json",
    "store": "store.db",
    "tls_ca": "ca.crt",
    "tls_certificate": "tls.pem",
    "trust": "trust.json",
}
_TLS: Final = ("tls_certificate", "tls_key", "tls_ca", "unsafe_plaintext")
_IN_BUS_FILE: Final = ("agency", "bootstrap", "log")
_BUS_FILE_MAX: Final = 64 * 1024
_POLICY_MAX: Final = 1024 * 1024
_SPEAKER: Final = "--agency, REFERRAL_BUS_AGENCY or agency in bus.toml tells who speaks"
_FROM_REGISTRAR: Final = "the file comes from the registrar, who reads its fingerprint to you by telephone"
_FOLDER: Final = "--home or REFERRAL_BUS_HOME names the agency's folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The options as they were typed; None where one was not."""

    home: str | None = None
    agency: str | None = None
    keys: str | None = None
    trust: str | None = None
    store: str | None = None
    bootstrap: str | None = None
    log: str | None = None
    log_policy: str | None = None


class Settings:
    """The settings of one call. Each is looked up when it is first needed: not every verb needs every one."""

    def __init__(self, given: Given, environ: Mapping[str, str]) -> None:
        """Prefer what was *given*, then *environ*, then the folder that either names."""
        # The root key is named by an option of its own, by those verbs that need one.
        names = [*(part.name for part in fields(given)), "root", *_TLS]
        found = {name: getattr(given, name, None) or environ.get(_PREFIX + name.upper()) for name in names}
        self._found: dict[str, str | None] = found
        self._home = Path(found["home"]) if found["home"] else None
        self._bus_file: Mapping[str, str] | None = None

    @property
    def agency(self) -> str:
        """Who speaks."""
        told = self._look("agency")
        return self.keys().agency if told is None else told

    @property
    def bootstrap(self) -> str:
        """Where the broker is."""
        return self._need("bootstrap")

    @property
    def names_broker(self) -> bool:
        """Whether it is said where the broker is: a verb that works on files is not asked."""
        return self._look("bootstrap") is not None

    @property
    def store(self) -> Path:
        """The file that the SDK keeps its state in."""
        return Path(self._need("store"))

    @property
    def root_files(self) -> list[str]:
        """The files with the registrar's root keys: the one that is told, or those that the folder holds."""
        first = self._need("root")
        beside = [] if self._found["root"] or self._home is None else sorted(self._home.glob("root-*.json"))
        return [first, *map(str, beside)]

    def tls(self) -> Tls | None:
        """Return who speaks, as the broker knows it; None where REFERRAL_BUS_UNSAFE_PLAINTEXT=1 does without."""
        if self._look("unsafe_plaintext") == "1":
            return None
        certificate, authority = self._look("tls_certificate"), self._look("tls_ca")
        if certificate is None or authority is None:
            raise WrongUsage(
                "no certificate is named",
                f"set {_PREFIX}TLS_CERTIFICATE and {_PREFIX}TLS_CA, or {_PREFIX}HOME to the agency's folder",
                code=Code.BAD_CERTIFICATE,
            )
        return Tls(certificate=certificate, authority=authority, key=self._look("tls_key"))

    def keys(self) -> AgencyKeys:
        """Return the agency's private keys, or raise LocalError or WrongUsage."""
        path = self._need("keys")
        try:
            keys = load_keys(path)
        except LocalError as error:
            if error.code is not Code.NO_SUCH_FILE:
                raise
            raise WrongUsage(error.detail, _FOLDER, code=error.code) from None
        told = self._look("agency")
        if told is not None and told != keys.agency:
            raise WrongUsage(f"the keys in {path} are {keys.agency}'s, and who speaks is to be {told}", _SPEAKER)
        return keys

    def trust(self) -> TrustRoot:
        """Return what the agency pinned, or raise LocalError or WrongUsage."""
        path = self._need("trust")
        try:
            return load_trust(path)
        except LocalError as error:
            raise WrongUsage(f"{path}: {error.detail}", _FROM_REGISTRAR, code=error.code) from error

    def log_access(self, open_log: Callable[[str], OpenLog]) -> LogAccess | None:
        """
        Return the log that receipts are asked of, by *open_log*; None where none is told.

        Raises:
            LocalError: BAD_LOG_POLICY: the policy cannot be used.
        """
        policy, url = self._log_policy(), self.log
        return None if url is None or policy is None else LogAccess(open=open_log(url), policy=policy)

    @property
    def log(self) -> str | None:
        """Where the log is; None where nothing tells."""
        policy = self._log_policy()
        named = () if policy is None else (log.url for log in policy.logs if log.url is not None)
        return self._look("log") or next(iter(named), None)

    def _log_policy(self) -> Policy | None:
        path = self._look("log_policy")
        return None if path is None or not Path(path).exists() else Policy.parse(read_named(path, _POLICY_MAX))

    def log_policy(self) -> Policy:
        """
        Return whose log and witnesses are trusted.

        Raises:
            WrongUsage, LocalError: No file is named, or it cannot be used.
        """
        found = self._log_policy()
        if found is None:
            hint = f"or set {_PREFIX}LOG_POLICY, or {_PREFIX}HOME to a folder with it"
            raise WrongUsage("no --policy is given that is there", hint)
        return found

    def _need(self, name: str) -> str:
        found = self._look(name)
        if found is None:
            raise WrongUsage(
                f"no --{name} is given",
                f"or set {_PREFIX}{name.upper()}, or {_PREFIX}HOME to the agency's folder",
                *([f"or write it in the folder's {_BUS_FILE}: {name} = …"] if name in _IN_BUS_FILE else []),
            )
        return found

    def _look(self, name: str) -> str | None:
        found = self._found[name]
        if found is not None or self._home is None:
            return found
        if name in _IN_FOLDER:
            return str(self._home / _IN_FOLDER[name])
        return self._from_bus_file(self._home / _BUS_FILE).get(name)

    def _from_bus_file(self, path: Path) -> Mapping[str, str]:
        if self._bus_file is None:
            self._bus_file = _read_bus_file(path)
        return self._bus_file


def load_keys(file: str) -> AgencyKeys:
    """Return the private keys in *file*, or raise LocalError, which names the file."""
    try:
        return AgencyKeys.load(file)
    except LocalError as error:
        raise LocalError(error.code, f"{file}: {error.detail}") from error


def _read_bus_file(path: Path) -> Mapping[str, str]:
    try:
        told = tomllib.loads(read_bytes(str(path), _BUS_FILE_MAX).decode("utf-8"))
    except LocalError as error:
        if error.code is Code.NO_SUCH_FILE:
            # A folder with keys and trust alone does for what needs no broker.
            return {}
        raise
    except (ValueError, RecursionError):
        raise WrongUsage(f"{path} is not TOML", 'a line is NAME = "TEXT", with the quotes') from None
    strange = [name for name in told if name not in _IN_BUS_FILE]
    if strange or not all(isinstance(value, str) for value in told.values()):
        raise WrongUsage(f"{path} holds {', '.join(_IN_BUS_FILE)} as texts, and nothing else")
    return told
