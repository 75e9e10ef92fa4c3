import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.edwards import SMALL_ORDER_Y, D, L, P, decompress, has_prime_order

Point = tuple[int, int]
IDENTITY = (0, 1)
BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def add(p: Point, q: Point) -> Point:
    """The addition law of RFC 8032 section 5.1.4 in affine form: another arithmetic than the module's."""
    t = D * p[0] * q[0] * p[1] * q[1] % P
    x = (p[0] * q[1] + q[0] * p[1]) * pow(1 + t, -1, P) % P
    y = (p[1] * q[1] + p[0] * q[0]) * pow(1 - t, -1, P) % P
    return x, y


def times(scalar: int, point: Point) -> Point:
    product = IDENTITY
    while scalar:
        if scalar & 1:
            product = add(product, point)
        point = add(point, point)
        scalar >>= 1
    return product


def small_order_points() -> set[Point]:
    """Every point of order 1, 2, 4 or 8: the multiples of [L]A for the first A where that has order 8."""
    for y in range(2, 100):
        point = decompress(y.to_bytes(32, "little"))
        if point is not None and times(4, torsion := times(L, point)) != IDENTITY:
            return {times(k, torsion) for k in range(8)}
    raise AssertionError


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def test_the_list_of_small_orders_is_what_arithmetic_finds() -> None:
    points = small_order_points()

    assert len(points) == 8
    assert {times(8, point) for point in points} == {IDENTITY}
    assert {y for _, y in points} == SMALL_ORDER_Y


def test_the_base_point_of_the_rfc_has_prime_order() -> None:
    assert BASE is not None
    assert times(L, BASE) == IDENTITY
    assert has_prime_order(*BASE)


def test_no_point_with_a_part_of_small_order_has_prime_order() -> None:
    assert BASE is not None
    honest = times(12345, BASE)

    assert has_prime_order(*honest)
    for torsion in small_order_points():
        assert not has_prime_order(*torsion)
        assert has_prime_order(*add(honest, torsion)) is (torsion == IDENTITY)


def test_every_key_that_is_generated_has_prime_order_and_one_encoding() -> None:
    for seed in range(8):
        raw = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32).public_key().public_bytes_raw()
        point = decompress(raw)

        assert point is not None
        assert has_prime_order(*point)
        assert encode(point) == raw


@given(st.binary(min_size=32, max_size=32))
def test_what_decompresses_is_on_the_curve_and_has_one_encoding(raw: bytes) -> None:
    point = decompress(raw)

    if point is not None:
        x, y = point
        assert (y * y - x * x) % P == (1 + D * x * x * y * y) % P
        assert encode(point) == raw


@pytest.mark.parametrize("y", [P, P + 1, P + 18])
@pytest.mark.parametrize("sign", [0, 1])
def test_a_y_outside_the_field_does_not_decompress(y: int, sign: int) -> None:
    raw = (y | sign << 255).to_bytes(32, "little")

    assert decompress(raw) is None
    Ed25519PublicKey.from_public_bytes(raw)  # which OpenSSL takes


@pytest.mark.parametrize("y", [1, P - 1])
def test_minus_zero_does_not_decompress(y: int) -> None:
    assert decompress(y.to_bytes(32, "little")) == (0, y)
    assert decompress((y | 1 << 255).to_bytes(32, "little")) is None
