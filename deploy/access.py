"""The one reading of ``kafka/access.toml``: who may do what on the broker, rule by rule, and how much of it."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat

from kafka_node.authority import Kind, principal

ACCESS: Final = Path(__file__).parent / "kafka" / "access.toml"
ANY_HOST: Final = "*"


class Resource(IntEnum):
    """What a rule is about, as the protocol numbers it."""

    TOPIC = 2
    GROUP = 3
    CLUSTER = 4
    TRANSACTIONAL_ID = 5
    DELEGATION_TOKEN = 6
    USER = 7


class Pattern(IntEnum):
    """How a rule's name is meant."""

    LITERAL = 3
    PREFIXED = 4


class Operation(IntEnum):
    """What a rule is for."""

    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    CLUSTER_ACTION = 9
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12
    CREATE_TOKENS = 13
    DESCRIBE_TOKENS = 14
    TWO_PHASE_COMMIT = 15


class Permission(IntEnum):
    """Whether a rule allows or forbids. None of ours forbids: what is not allowed is forbidden."""

    DENY = 2
    ALLOW = 3


class Rate(StrEnum):
    """What a quota counts."""

    PRODUCED = "producer_byte_rate"
    CONSUMED = "consumer_byte_rate"
    REQUESTS = "request_percentage"


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One access rule, as the broker keeps it."""

    principal: str
    resource: int
    name: str
    pattern: int
    operation: int
    permission: int = Permission.ALLOW
    host: str = ANY_HOST

    @classmethod
    def allow(cls, who: str, resource: Resource, name: str, operation: Operation) -> Self:
        """Return the rule that lets *who* do *operation*; a *name* with a star at its end is many."""
        pattern = Pattern.PREFIXED if name.endswith("*") else Pattern.LITERAL
        return cls(f"User:{who}", resource, name.removesuffix("*"), pattern, operation)

    def __str__(self) -> str:
        """Return it as a person reads it."""
        star = "*" if self.pattern == Pattern.PREFIXED else ""
        verb = "may" if self.permission == Permission.ALLOW else "may not"
        where = "" if self.host == ANY_HOST else f" from {self.host}"
        who = self.principal.removeprefix("User:")
        what = f"{_word(Operation, self.operation)} {_word(Resource, self.resource)}"
        return f"{who} {verb} {what} {self.name}{star}{where}"


Quotas = Mapping[str, Mapping[str, float]]
"""By principal: what it may use."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Rights(_Part):
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    describe: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    describe_groups: tuple[str, ...] = ()
    transactions: tuple[str, ...] = ()

    def rules(self, who: str, **place: str) -> Iterable[Rule]:
        for resource, operation, names in (
            (Resource.TOPIC, Operation.READ, self.read),
            (Resource.TOPIC, Operation.WRITE, self.write),
            (Resource.TOPIC, Operation.DELETE, self.delete),
            (Resource.TOPIC, Operation.DESCRIBE, self.describe),
            (Resource.GROUP, Operation.READ, self.groups),
            (Resource.GROUP, Operation.DESCRIBE, self.describe_groups),
            (Resource.TRANSACTIONAL_ID, Operation.WRITE, self.transactions),
        ):
            for name in names:
                yield Rule.allow(who, resource, name.format(**place), operation)


class _Agency(_Rights):
    quota: dict[Rate, PositiveFloat]


class Access(_Part):
    """What the file says."""

    agency: _Agency
    registrar: _Rights
    services: dict[str, _Rights] = Field(min_length=1)

    def rules(self, agencies: Iterable[str], registrars: Iterable[str] = ()) -> frozenset[Rule]:
        """Return every rule of a bus with these *agencies*; those of them that sign the directory have two parts."""
        found: set[Rule] = set()
        for name in agencies:
            found.update(self.agency.rules(principal(Kind.AGENCY, name), id=name))
        for name in registrars:
            found.update(self.registrar.rules(principal(Kind.AGENCY, name), id=name))
        for name, rights in self.services.items():
            found.update(rights.rules(principal(Kind.SERVICE, name)))
        return frozenset(found)

    def quotas(self, agencies: Iterable[str]) -> Quotas:
        """Return what each of *agencies* may use."""
        each = {rate.value: value for rate, value in self.agency.quota.items()}
        return {principal(Kind.AGENCY, name): each for name in agencies}


def read_access(path: Path = ACCESS) -> Access:
    """Return what the file says; pydantic tells what is wrong with one that says something else."""
    return Access.model_validate(tomllib.loads(path.read_text("utf-8")))


def _word(kind: type[IntEnum], number: int) -> str:
    known = {member.value: member.name.lower().replace("_", " ") for member in kind}
    return known.get(number, f"({number})")
