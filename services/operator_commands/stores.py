"""What the log's commands share: where its store lies, what was pinned, and whether the one is of the other."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from referral_bus._cli.command import Call
from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.files import read_named
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.log.policy import Policy
from referral_contracts.trust import TrustRoot

if TYPE_CHECKING:
    from audit_log.store.snapshot import Snapshot
    from referral_router.core.replay import Rejudge
    from service_chassis.kafka import Kafka

_MOST: Final = 262_144


def pinned(name: str) -> bytes:
    """Return what the file *name* holds; what is raised names it."""
    return read_named(name, _MOST)


def named(call: Call, given: str | None, name: str) -> str:
    """Return what was *given*, or what the service's own variable says."""
    variable = f"REFERRAL_BUS_LOG_{name.upper()}"
    found = given or call.world.environ.get(variable)
    if found is None:
        raise WrongUsage(f"the log's {name} is not named", f"--{name} or {variable} names it")
    return found


def broker(call: Call, bootstrap: str, client_id: str) -> "Kafka":
    """
    Return the way to the broker at *bootstrap*, with the certificate in the folder that --home names, or the variables.

    Raises:
        LocalError: BAD_CERTIFICATE, LOOSE_PERMISSIONS.
    """
    # A second of imports, which few verbs need.
    from referral_tls import Tls  # noqa: PLC0415
    from service_chassis.kafka import Kafka  # noqa: PLC0415

    own = call.settings.tls()
    if own is None:
        return Kafka(bootstrap=bootstrap, tls=None, client_id=client_id)
    tls = Tls(certificate=Path(own.certificate), authority=Path(own.authority), key=Path(own.key) if own.key else None)
    return Kafka(bootstrap=bootstrap, tls=tls, client_id=client_id)


def judge_of(seen: "Snapshot", policy: Policy, trust: TrustRoot) -> "Rejudge":
    """
    Return the router's rules for the log in *seen*.

    Raises:
        LocalError: STATE_FORMAT: it is another one's than *policy* and *trust* are of.
    """
    from referral_router.core.replay import Rejudge  # noqa: PLC0415 - a second of imports, which no other verb needs

    told = seen.meta()
    if told.get("bus") != trust.bus or told.get("origin") not in {log.key.name for log in policy.logs}:
        raise LocalError(Code.STATE_FORMAT, "the store of another log than policy and trust root are of")
    return Rejudge(trust, seen.last_partition())
