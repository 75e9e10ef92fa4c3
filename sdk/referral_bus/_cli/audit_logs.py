"""
Which log `audit` asks: one over HTTP, by an agency's key for that, or on its own machine the store that it is kept in.

Both answer the same, and what they answer is checked by one's own keys in either case. What reads a store is no part of
the SDK: it comes by an entry point where the services are installed.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Annotated, Final, Protocol, TypeAlias

import typer

from referral_bus._cli.command import Call
from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.settings import Given, Settings
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.log.policy import Policy
from referral_contracts.sealing import random_salts
from referral_contracts.trail.answers import CaseAnswer, Search, SearchAnswer
from referral_contracts.trust import TrustRoot
from referral_contracts.wording import both

GROUP: Final = "referral_bus.kept_logs"
"""Its entry point ``store`` is an `OpenKept`."""
_STORE: Final = "REFERRAL_BUS_LOG_STORE"
_TILES: Final = "REFERRAL_BUS_LOG_TILES"
_NO_KEY: Final = "referral-bus keys renew KEYS --http makes one, and keys records what the registrar publishes of it"

_NO_GRANT: Final = (
    "bên kiểm tra đọc theo quyền được cấp: referral-bus directory show CƠ-QUAN; cơ quan phụ trách chỉ xem ai đã đọc",
    "an auditor reads by a grant: referral-bus directory show AGENCY; a case's owner asks who has read it",
)

LogUrl: TypeAlias = Annotated[
    str | None, typer.Option("--log", metavar="URL", help="The log over HTTP, by default the agency's folder's.")
]
StoreUrl: TypeAlias = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", help=f"Instead, where the log keeps it, by default {_STORE}'s."),
]
TilesFolder: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--tiles",
        metavar="DIR",
        help=f"With a store: the published folder, by default {_TILES}'s; what witnesses have cosigned lies there.",
    ),
]
PolicyFile: TypeAlias = Annotated[
    str | None, typer.Option("--policy", metavar="FILE", help="The log policy: with which key the log signs.")
]
TrustFile: TypeAlias = Annotated[str | None, typer.Option("--trust", metavar="FILE", help="The pinned trust root.")]
KeysFile: TypeAlias = Annotated[
    str | None, typer.Option("--keys", metavar="FILE", help="Who asks over HTTP: a key file with a key for that.")
]
HomeFolder: TypeAlias = Annotated[
    str | None,
    typer.Option("--home", metavar="DIR", help="The folder with keys.json, trust.json, log.policy, bus.toml."),
]


class AuditedLog(Protocol):
    """What has the answers."""

    async def case(self, subject: str) -> CaseAnswer:
        """Return the leaves of a case, and what proves them."""

    async def bundle(self, subject: str) -> bytes:
        """Return its evidence bundle."""

    async def reads(self, subject: str, after: int | None = None) -> CaseAnswer:
        """Return who read it: a page of such leaves, behind the leaf *after*."""

    async def search(self, search: Search) -> SearchAnswer:
        """Return a page of what is found."""


OpenKept: TypeAlias = Callable[[str, str | None, Policy, TrustRoot], AbstractContextManager[AuditedLog]]
"""From a store's URL and the published folder, and whose log it has to be, to what reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the log is, and by what it is believed, as it was typed."""

    log: str | None
    store: str | None
    tiles: str | None
    policy: str | None
    trust: str | None
    keys: str | None
    home: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """An open log, and by what it is believed."""

    log: AuditedLog
    policy: Policy
    trust: TrustRoot
    over_http: bool
    """It is asked, and answers what there is a grant for."""


@asynccontextmanager
async def open_log(call: Call, place: Place) -> AsyncIterator[Pinned]:
    """
    Give the log that *place* names.

    Raises:
        WrongUsage: None is named, or something that it takes.
        LocalError: A file cannot be used.
    """
    given = Given(home=place.home, keys=place.keys, trust=place.trust, log=place.log, log_policy=place.policy)
    settings = Settings(given, call.world.environ)
    store = place.store or (None if place.log else call.world.environ.get(_STORE))
    if place.log and place.store:
        raise WrongUsage("the log is asked over HTTP or read from its store, not both")
    policy, trust = settings.log_policy(), settings.trust()
    if store is not None:
        with _kept()(store, place.tiles or call.world.environ.get(_TILES), policy, trust) as log:
            yield Pinned(log=log, policy=policy, trust=trust, over_http=False)
        return
    url = settings.log
    if url is None:
        raise WrongUsage("no log is named", f"--log names one over HTTP, --store or {_STORE} the store of one")
    key = settings.keys().http
    if key is None:
        raise WrongUsage("the key file has no key for HTTP", _NO_KEY)
    # Only who asks over HTTP pays for loading the client.
    from referral_bus.asking import Signed  # noqa: PLC0415
    from referral_bus.auditing import AskedLog  # noqa: PLC0415

    signed = Signed(trust.bus, key, clock=call.world.clock.now_ms, draw=lambda size: random_salts(1, size)[0])
    async with AskedLog(url, signed, call.world.transport) as asked:
        try:
            yield Pinned(log=asked, policy=policy, trust=trust, over_http=True)
        except LocalError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            raise WrongUsage(error.detail, both(_NO_GRANT), code=error.code) from None


def _kept() -> OpenKept:
    for point in entry_points(group=GROUP):
        found: OpenKept = point.load()
        return found
    raise WrongUsage("a log's store is read where the log's services are installed", "--log asks a log over HTTP")
