"""
Which 32 bytes may be an Ed25519 public key (RFC 8032 section 5.1).

Only for public bytes, once per key: nothing here runs in constant time, and nothing here signs or verifies.
OpenSSL and Go take every 32 bytes as a key, the identity point included, for which one constant signature
(R = identity, S = 0) verifies every message. So we look ourselves.
"""

from typing import Final

P: Final = 2**255 - 19
L: Final = 2**252 + 27742317777372353535851937790883648493
"""Order of the subgroup that every honest key lies in; the whole group has 8 L points."""
D: Final = -121665 * pow(121666, -1, P) % P
_SQRT_M1: Final = pow(2, (P - 1) // 4, P)
_Y_OF_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7

SMALL_ORDER_Y: Final = frozenset({0, 1, P - 1, _Y_OF_ORDER_8, P - _Y_OF_ORDER_8})
"""
The y of every point whose order divides 8: y = 1 has order 1, -1 order 2, 0 order 4, the last two order 8.

Complete: the points of order dividing 8 are a cyclic group of 8. Two points share a y (x and -x) except y = 1 and
y = -1, where x = 0, so 8 points have 5 y's. An encoding is y and the sign of x: to refuse these y's under either sign
also refuses "minus zero", the two encodings with x = 0 and the sign set. All other spellings of these points
have y >= P and are refused as such. The tests derive the five from the curve equation.
"""

_Point = tuple[int, int, int, int]
"""Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z."""


def y_of(raw: bytes) -> int:
    """Return the y that *raw* spells, without its sign bit; it may lie outside the field."""
    return int.from_bytes(raw, "little") & (2**255 - 1)


def decompress(raw: bytes) -> tuple[int, int] | None:
    """Return the point (x, y) of *raw*, or None where RFC 8032 section 5.1.3 says that decoding fails."""
    y, odd = y_of(raw), raw[31] >> 7
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * _SQRT_M1 % P
    if v * x * x % P != u or (x == 0 and odd):
        return None
    return (x if x & 1 == odd else P - x), y


def has_prime_order(x: int, y: int) -> bool:
    """
    Tell whether the point has order L: [L]A is the identity and A is not.

    L is odd, so a point with a part of small order, however mixed, does not pass. Such keys forge nothing with a
    verifier like OpenSSL's, but verifiers that multiply by 8 would disagree with it about what was signed.
    """
    if x == 0:
        return False
    product, addend = (0, 1, 1, 0), (x, y, 1, x * y % P)
    scalar = L
    while scalar:
        if scalar & 1:
            product = _add(product, addend)
        addend = _add(addend, addend)
        scalar >>= 1
    return product[0] == 0 and product[1] == product[2]


def _add(p: _Point, q: _Point) -> _Point:
    # RFC 8032 section 5.1.4. Complete on this curve: no pair of points needs a case of its own.
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P
