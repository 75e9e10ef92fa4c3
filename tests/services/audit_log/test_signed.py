"""Who asks over HTTP: RFC 9421's own vectors, and every way in which a request is not signed as it has to be."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver
from http_message_signatures.algorithms import ED25519
from hypothesis import given
from hypothesis import strategies as st

from audit_log.core.nonces import Nonces
from audit_log.signed import Asked, Askers, Headers, Message, accepted
from referral_bus.asking import Signed
from referral_bus.registrar import Term, event_key_record
from referral_contracts.asking import COMPONENTS
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.directory_model import Entry, Use
from referral_contracts.encoding import b64, format_time
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import SigningKey
from tests.services.referral_router.founding import BUS, HOTLINE, KEYS, NOW, TERM, directory

HTTP = SigningKey.from_seed(bytes([91]) * 32)
URL = "http://log.example:8083/v1/cases/0123/trail?a=b%20c"
COVERED = b'("date" "@method" "@path" "@authority" "content-type" "content-length")'
ED25519_PEM = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
"""


def with_key(key: SigningKey = HTTP, term: Term = TERM, **changes: object) -> Directory:
    """Return the directory with a key for HTTP in the hotline's entry."""
    known = directory()
    entry = Entry.decode(known.entries[HOTLINE])
    record = event_key_record(BUS, HOTLINE, key, term, use=Use.HTTP)
    changed = entry.model_copy(update={"keys": (*entry.keys, record.model_copy(update=changes))})
    return Directory(head=known.head, entries={**known.entries, HOTLINE: changed.encode()})


def signed(
    method: str = "GET",
    *,
    url: str = URL,
    bus: str = BUS,
    key: SigningKey = HTTP,
    at_ms: int = NOW,
    nonce: int = 1,
    body: bytes = b"",
) -> Message:
    request = httpx.Request(method, url, content=body)
    Signed(bus, key, clock=lambda: at_ms, draw=lambda size: bytes([nonce]) * size).sign(request)
    return Message(method, url, Headers([(name.lower(), value) for name, value in request.headers.raw]))


def askers(at_ms: int = NOW) -> Askers:
    return Askers(BUS, Nonces(0), lambda: at_ms)


def changed(message: Message, name: str, was: str, now: str) -> Message:
    """Return *message* with a header that says something else."""
    lines = [(one, value.replace(was, now) if one == name else value) for one, value in message.headers.items()]
    assert lines != list(message.headers.items())
    return replace(message, headers=Headers([(one.encode(), value.encode()) for one, value in lines]))


def refused(message: Message, body: bytes = b"", *, known: Directory | None = None, by: Askers | None = None) -> Code:
    with pytest.raises(RemoteError) as refusal:
        (by or askers()).asked(message, body, known or with_key())
    return refusal.value.code


class TestVector:
    """RFC 9421, appendix B.2.6: signing a request using Ed25519."""

    LINES = (
        (b"host", b"example.com"),
        (b"date", b"Tue, 20 Apr 2021 02:07:55 GMT"),
        (b"content-type", b"application/json"),
        (b"content-length", b"18"),
        (
            b"signature-input",
            b"sig-b26=" + COVERED + b';created=1618884473;keyid="test-key-ed25519"',
        ),
        (
            b"signature",
            b"sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
        ),
    )

    def verify(self, url: str) -> dict[str, str]:
        keys = MappingKeyResolver(public_keys={"test-key-ed25519": self.key()}, private_keys={})
        message = Message("POST", url, Headers(self.LINES))
        verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=keys)
        verifier.validate_created_and_expires = lambda *_, **__: None  # type: ignore[method-assign]
        (result,) = verifier.verify(message, max_age=None)
        return result.covered_components

    @staticmethod
    def key() -> bytes:
        return ED25519_PEM

    def test_the_library_verifies_what_the_rfc_signed(self) -> None:
        covered = self.verify("https://example.com/foo?param=Value&Pet=dog")

        base = "\n".join(f"{name}: {value}" for name, value in covered.items())
        assert base.split("\n")[:4] == [
            '"date": Tue, 20 Apr 2021 02:07:55 GMT',
            '"@method": POST',
            '"@path": /foo',
            '"@authority": example.com',
        ]
        signature = base64.b64decode(self.LINES[-1][1].split(b":")[1])
        load_pem_public_key(self.key()).verify(signature, base.encode())  # type: ignore[call-arg,union-attr]

    def test_another_path_is_not_what_the_rfc_signed(self) -> None:
        with pytest.raises(InvalidSignature):
            self.verify("https://example.com/bar")


class TestAsker:
    def test_who_signed_is_told_with_what_was_signed(self) -> None:
        found = askers().asked(signed(), b"", with_key())

        assert isinstance(found, Asked)
        assert (found.asker.agency, found.asker.kid) == (HOTLINE, HTTP.kid)
        told = [
            f"created={NOW // 1000}",
            f'keyid="{HTTP.kid}"',
            'alg="ed25519"',
            f'nonce="{b64(bytes([1]) * 16)}"',
            f'tag="referral-bus-asking/v1 {BUS}"',
        ]
        base = [
            '"@method": GET',
            '"@authority": log.example:8083',
            '"@path": /v1/cases/0123/trail',
            '"@query": ?a=b%20c',
            '"@signature-params": ("@method" "@authority" "@path" "@query")' + ";".join(["", *told]),
        ]
        assert sorted(base) == sorted(self.base(signed()))
        assert found.base == "\n".join(self.base(signed())).encode()

    @staticmethod
    def base(message: Message) -> list[str]:
        (told,) = [value for name, value in message.headers.items() if name == "signature-input"]
        values = ("GET", "log.example:8083", "/v1/cases/0123/trail", "?a=b%20c")
        lines = [f'"{name}": {value}' for name, value in zip(COMPONENTS, values, strict=True)]
        return [*lines, f'"@signature-params": {told.partition("=")[2]}']

    def test_nothing_and_nonsense_are_no_signature(self) -> None:
        bare = Message("GET", URL, Headers([(b"host", b"log.example:8083")]))

        assert refused(bare) is Code.BAD_SIGNATURE
        assert refused(changed(signed(), "signature-input", "asker=", "asker=(")) is Code.BAD_SIGNATURE
        assert refused(changed(signed(), "signature", "asker=:", "asker=:A")) is Code.BAD_SIGNATURE

    @pytest.mark.parametrize(
        "asked",
        [
            replace(signed(), method="POST"),
            replace(signed(), url=URL.replace("0123", "0124")),
            replace(signed(), url=URL.replace("b%20c", "b")),
            replace(signed(), url=URL.replace("log.example", "other.example")),
        ],
    )
    def test_what_was_signed_is_what_is_asked(self, asked: Message) -> None:
        assert refused(asked) is Code.BAD_SIGNATURE

    @pytest.mark.parametrize("name", COMPONENTS)
    def test_all_that_matters_is_covered(self, name: str) -> None:
        request = httpx.Request("GET", URL)
        signing = Signed(BUS, HTTP, clock=lambda: NOW, draw=bytes)
        components = [one for one in COMPONENTS if one != name]
        signing._signer.sign(
            request,
            key_id=HTTP.kid,
            created=datetime.fromtimestamp(NOW // 1000, tz=UTC),
            nonce="A" * 22,
            tag=f"referral-bus-asking/v1 {BUS}",
            covered_component_ids=components,
        )
        lines = [(one.lower(), value) for one, value in request.headers.raw]

        assert refused(Message("GET", URL, Headers(lines))) is Code.BAD_SIGNATURE

    def test_it_is_of_this_bus(self) -> None:
        assert refused(signed(bus="production")) is Code.BAD_SIGNATURE

    def test_only_a_key_for_http_asks(self) -> None:
        assert refused(signed(key=KEYS[HOTLINE].signing)) is Code.UNKNOWN_KEY
        assert refused(signed(), known=directory()) is Code.UNKNOWN_KEY
        assert refused(changed(signed(), "signature-input", HTTP.kid, KEYS[HOTLINE].signing.kid)) is Code.UNKNOWN_KEY

    def test_a_key_that_is_over_or_revoked_asks_nothing(self) -> None:
        ended = Term(from_ms=TERM.from_ms, until_ms=NOW)
        begun = Term(from_ms=NOW + 1, until_ms=TERM.until_ms)

        assert refused(signed(), known=with_key(term=ended)) is Code.KEY_NOT_VALID
        assert refused(signed(), known=with_key(term=begun)) is Code.KEY_NOT_VALID
        assert refused(signed(), known=with_key(revoked_at=format_time(NOW))) is Code.KEY_NOT_VALID
        assert askers().asked(signed(), b"", with_key(revoked_at=format_time(NOW + 1))).asker.agency == HOTLINE

    def test_a_newer_directory_counts_at_once(self) -> None:
        by = askers()
        by.asked(signed(), b"", with_key())

        assert refused(signed(nonce=2), known=directory(), by=by) is Code.UNKNOWN_KEY

    @pytest.mark.parametrize(("late_s", "taken"), [(-6, False), (-5, True), (0, True), (65, True), (66, False)])
    def test_it_is_good_for_a_minute_and_what_clocks_differ(self, late_s: int, taken: bool) -> None:
        by = askers(NOW + late_s * 1000)

        if taken:
            assert by.asked(signed(), b"", with_key()).asker.agency == HOTLINE
        else:
            assert refused(signed(), by=by) is Code.OUTSIDE_WINDOW

    def test_it_says_itself_until_when_it_is_good(self) -> None:
        request = httpx.Request("GET", URL)
        Signed(BUS, HTTP, clock=lambda: NOW, draw=bytes).sign(request, expires_s=10)
        lines = [(one.lower(), value) for one, value in request.headers.raw]
        message = Message("GET", URL, Headers(lines))

        assert refused(message, by=askers(NOW + 16_000)) is Code.OUTSIDE_WINDOW
        assert askers(NOW + 15_000).asked(message, b"", with_key()).asker.agency == HOTLINE

    def test_it_is_taken_once(self) -> None:
        by = askers()
        by.asked(signed(), b"", with_key())

        assert refused(signed(), by=by) is Code.DUPLICATE
        assert by.asked(signed(nonce=2), b"", with_key()).asker.agency == HOTLINE

    def test_one_that_is_refused_takes_no_nonce(self) -> None:
        by = askers()
        refused(replace(signed(), method="POST"), by=by)

        assert by.asked(signed(), b"", with_key()).asker.agency == HOTLINE

    def test_a_body_is_covered_by_its_digest(self) -> None:
        told = signed("POST", body=b"abc")

        assert askers().asked(told, b"abc", with_key()).asker.agency == HOTLINE
        assert refused(told, b"abd") is Code.BAD_SIGNATURE
        assert refused(signed("POST"), b"abc") is Code.BAD_SIGNATURE

    def test_what_it_has_to_be_like_can_be_told(self) -> None:
        assert accepted() == ('asker=("@method" "@authority" "@path" "@query");created;keyid;nonce;alg="ed25519";tag')

    @given(st.lists(st.tuples(st.sampled_from([b"signature", b"signature-input", b"host"]), st.binary(max_size=80))))
    def test_whatever_the_headers_say_they_are_refused_by_our_own_error(self, lines: list[tuple[bytes, bytes]]) -> None:
        assert refused(Message("GET", URL, Headers(lines))) in {
            Code.BAD_SIGNATURE,
            Code.UNKNOWN_KEY,
            Code.OUTSIDE_WINDOW,
        }

    @given(st.text(max_size=60))
    def test_whatever_is_asked_for_is_refused_by_our_own_error(self, path: str) -> None:
        assert refused(replace(signed(), url=f"http://log.example:8083/{path}")) is Code.BAD_SIGNATURE


class TestNonces:
    def test_nothing_is_taken_that_may_have_been_asked_before_the_start(self) -> None:
        nonces = Nonces(1000)
        for created_s in (990, 1000, 1005):
            with pytest.raises(RemoteError) as refusal:
                nonces.take("k", "n", created_s, 1003)
            assert refusal.value.code is Code.OUTSIDE_WINDOW

        nonces.take("k", "n", 1006, 1003)

    def test_each_key_has_its_own(self) -> None:
        nonces = Nonces(0)
        nonces.take("k", "n", 1000, 1000)
        nonces.take("j", "n", 1000, 1000)
        with pytest.raises(RemoteError):
            nonces.take("k", "n", 1000, 1001)

    def test_no_key_takes_all_that_can_be_remembered(self) -> None:
        nonces = Nonces(0, most_of_one=2)
        nonces.take("k", "1", 1000, 1000)
        nonces.take("k", "2", 1000, 1000)
        with pytest.raises(LocalError) as refusal:
            nonces.take("k", "3", 1000, 1000)
        assert refusal.value.code is Code.TOO_MANY

        nonces.take("j", "3", 1000, 1000)
        nonces.take("k", "3", 1071, 1071)

    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(-70, 10), st.integers(0, 40)), min_size=2, max_size=60))
    def test_what_could_be_asked_again_is_never_forgotten(self, asked: list[tuple[int, int, int]]) -> None:
        nonces, taken, now_s = Nonces(0), set[tuple[str, int]](), 1000
        for nonce, age_s, later_s in asked:
            now_s += later_s
            try:
                nonces.take("k", f"{nonce}", now_s + age_s, now_s)
            except RemoteError:
                continue
            # The same signature names the same moment.
            assert (f"{nonce}", now_s + age_s) not in taken
            taken.add((f"{nonce}", now_s + age_s))

    def test_when_no_more_can_be_remembered_nothing_is_taken(self) -> None:
        nonces = Nonces(0, most=2)
        nonces.take("k", "1", 1000, 1000)
        nonces.take("k", "2", 1000, 1000)
        with pytest.raises(LocalError) as refusal:
            nonces.take("k", "3", 1000, 1000)
        assert refusal.value.code is Code.TOO_MANY

        nonces.take("k", "3", 1071, 1071)
