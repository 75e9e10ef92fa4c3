"""
Who an agency or a service is to the broker: certificate, key and authority, in files; TLS 1.3 and nothing older.

A certificate that is renewed in its file is shown from the next connection on, without a restart. A package of its own:
the SDK and the services have it, neither may know the other, and the contracts read no files.
"""

import ssl
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The files."""

    certificate: Path | str
    """The certificate and those between it and the authority; the key as well, where it has no file of its own."""
    authority: Path | str
    """Whom to believe that the broker is the broker."""
    key: Path | str | None = None

    def context(self) -> ssl.SSLContext:
        """
        Return what connects by them.

        Raises:
            LocalError: BAD_CERTIFICATE: they cannot be used. LOOSE_PERMISSIONS: others can read the key.
        """
        try:
            if stat.S_IMODE(Path(self.key or self.certificate).stat().st_mode) & 0o077:
                raise LocalError(Code.LOOSE_PERMISSIONS, "others can read the key of the certificate")
            context = _Context(self)
            context.load_verify_locations(self.authority)
        except OSError as error:
            raise LocalError(Code.BAD_CERTIFICATE, f"{type(error).__name__} with the files of TLS") from error
        return context


class _Context(ssl.SSLContext):
    def __new__(cls, _tls: Tls) -> Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self.minimum_version = ssl.TLSVersion.TLSv1_3
        self._written = self._stamp()
        self.load_cert_chain(tls.certificate, tls.key)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 - as it is overridden
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a connection with what is in the files by now."""
        self._look_again()
        return super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)

    def _look_again(self) -> None:
        try:
            written = self._stamp()
            if written != self._written:
                self.load_cert_chain(self._tls.certificate, self._tls.key)
                self._written = written
        except OSError:
            # Half replaced, or gone: what was read before is good until it expires.
            return

    def _stamp(self) -> tuple[int, ...]:
        files = [self._tls.certificate, *([self._tls.key] if self._tls.key else [])]
        found = [Path(file).stat() for file in files]
        return tuple(number for one in found for number in (one.st_mtime_ns, one.st_ino))
