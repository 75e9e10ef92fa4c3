"""A service's signing key, from the same kind of file as an agency's: JSON that only its owner can read."""

import os
import stat
from pathlib import Path

from referral_contracts.codes import Code
from referral_contracts.encoding import parse_json, unb64
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import KEY_FILE_MODE, SigningKey


def read_signing_key(path: Path) -> SigningKey:
    """
    Return the signing key in *path*.

    Raises:
        LocalError: NO_SUCH_FILE. LOOSE_PERMISSIONS: others can read it. MALFORMED_KEY: not a key file.
    """
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & ~KEY_FILE_MODE:
                raise LocalError(Code.LOOSE_PERMISSIONS, "others can get at the key file")
            told = parse_json(file.read())
        if not isinstance(told, dict) or not isinstance(seed := told.get("signing"), str):
            raise LocalError(Code.MALFORMED_KEY, "not a key file")
        return SigningKey.from_seed(unb64(seed))
    except OSError as error:
        raise LocalError(Code.NO_SUCH_FILE, "the file cannot be read") from error
    except RemoteError:
        # The cause could quote the file.
        raise LocalError(Code.MALFORMED_KEY, "not a key file") from None
