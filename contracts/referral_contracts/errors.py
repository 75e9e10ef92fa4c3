"""
The errors of the product, blame in the type.

Their texts carry a code and a fragment that this project wrote itself: never a payload, a key or a name.
"""

from referral_contracts.codes import Code, hint


class ReferralBusError(Exception):
    """Base of every error this project raises on purpose."""

    def __init__(self, code: Code, detail: str = "") -> None:
        """Raise with a stable *code* and a lower-case *detail* that quotes no input."""
        super().__init__(f"{code.value}: {detail}" if detail else code.value)
        self.code = code
        self.detail = detail

    @property
    def hint(self) -> str:
        """What can be done about it, or an empty string."""
        return hint(self.code)


class LocalError(ReferralBusError):
    """You asked for something the contract forbids."""


class RemoteError(ReferralBusError):
    """A peer sent something the contract forbids."""


class Tampered(RemoteError):
    """Bytes are not what was signed or sealed: stop and tell somebody."""


class NotForUs(RemoteError):
    """This key does not open it; another one may."""


class Fatal(ReferralBusError):
    """Going on would lose or forge something: stop this partition or process."""
