"""Answers over HTTP as they are: what is packed grows a millionfold in one step, before anybody counts its bytes."""

from collections.abc import Mapping
from typing import Final

import httpx

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError

PLAIN: Final[Mapping[str, str]] = {"accept-encoding": "identity"}


def check_plain(answer: httpx.Response) -> None:
    """
    Return if *answer* is not packed.

    Raises:
        LocalError: LOG_AWAY.
    """
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise LocalError(Code.LOG_AWAY, "the log answers with what is packed, and was not asked to")
