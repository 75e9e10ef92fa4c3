"""How the tests of the contracts ask what becomes of something: the code it is refused with, or None."""

from collections.abc import Callable

from referral_contracts.codes import Code
from referral_contracts.errors import ReferralBusError, RemoteError


def code_of(call: Callable[[], object]) -> Code | None:
    try:
        call()
    except RemoteError as error:
        return error.code
    return None


def answers(call: Callable[[], object]) -> bool:
    """Tell whether the call gives a value or an error of ours; any other error is raised."""
    try:
        call()
    except ReferralBusError:
        return False
    return True
