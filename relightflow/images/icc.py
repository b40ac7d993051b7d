"""Whether a colour profile is sRGB, judged by what it does to colours and not by what it is called.

A profile of primaries and curves (matrix/TRC) is sRGB if its primaries are sRGB's, adapted to D50, and
its curves follow sRGB's. Layout: ICC.1:2022, 7.2 and 7.3 (header, tag table), 10.6 (curveType), 10.18
(parametricCurveType), 10.31 (XYZType). Curve: IEC 61966-2-1.
"""

from __future__ import annotations

import struct

_PRIMARIES = {
    b"rXYZ": (0.4360, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}
_CURVES = (b"rTRC", b"gTRC", b"bTRC")
_TABLES = {b"A2B0", b"A2B1", b"A2B2"}
"""Tags that go before primaries and curves."""
_NEAR = 0.003
"""Of colours and of light: half a step of 8 bits in the middle."""
_MOST_TAGS = 200


def is_srgb(profile: bytes) -> bool:
    """Never raises; False for what makes no sense, which the caller's colour engine then judges."""
    try:
        tags = _tags(profile)
        if profile[16:20] != b"RGB " or tags.keys() & _TABLES:
            return False
        return all(_is_near(_xyz(tags[n]), wanted) for n, wanted in _PRIMARIES.items()) and all(
            _follows_srgb(tags[name]) for name in _CURVES
        )
    except (struct.error, KeyError, IndexError, ZeroDivisionError, OverflowError, ValueError):
        return False


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    found = {}
    for number in range(min(count, _MOST_TAGS)):
        name, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        found[name] = profile[start : start + size]
    return found


def _xyz(tag: bytes) -> tuple[float, ...]:
    if tag[:4] != b"XYZ ":
        raise ValueError
    return tuple(value / 65536 for value in struct.unpack_from(">3i", tag, 8))


def _is_near(found: tuple[float, ...], wanted: tuple[float, ...]) -> bool:
    return all(abs(one - other) < _NEAR for one, other in zip(found, wanted, strict=True))


def _follows_srgb(tag: bytes) -> bool:
    return all(abs(_curve(tag, n / 16) - _srgb(n / 16)) < _NEAR for n in range(17))


def _srgb(x: float) -> float:
    return x / 12.92 if x <= 0.04045 else float(((x + 0.055) / 1.055) ** 2.4)


def _curve(tag: bytes, x: float) -> float:
    """The light of the value `x`, both from 0 to 1."""
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count < 2:
            gamma = struct.unpack_from(">H", tag, 12)[0] / 256 if count else 1.0
            return float(x**gamma)
        place = x * (count - 1)
        low = min(int(place), count - 2)
        one, other = struct.unpack_from(">2H", tag, 12 + 2 * low)
        return float((one + (other - one) * (place - low)) / 65535)
    if tag[:4] != b"para" or struct.unpack_from(">H", tag, 8)[0] != 3:
        raise ValueError
    g, a, b, c, d = (value / 65536 for value in struct.unpack_from(">5i", tag, 12))
    return float((a * x + b) ** g if x >= d else c * x)
