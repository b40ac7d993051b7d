from __future__ import annotations

import struct

import pytest
from PIL import ImageCms

from relightflow.images.icc import is_srgb

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def without_curves(kind: bytes, body: bytes) -> bytes:
    """sRGB's primaries with other curves."""
    data = bytearray(SRGB) + kind + b"\0" * 4 + body
    for number in range(struct.unpack_from(">I", data, 128)[0]):
        place = 132 + 12 * number
        if bytes(data[place : place + 4]) in (b"rTRC", b"gTRC", b"bTRC"):
            struct.pack_into(">II", data, place + 4, len(SRGB), 8 + len(body))
    return bytes(data)


def test_sRGB_is_sRGB_by_whatever_name() -> None:  # noqa: N802
    assert is_srgb(SRGB)
    assert is_srgb(SRGB.replace(b"sRGB", b"mine"))


def test_a_table_of_its_curve_is_sRGB_too() -> None:  # noqa: N802
    values = [n / 1023 for n in range(1024)]
    light = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in values]
    table = struct.pack(">I1024H", 1024, *(round(x * 65535) for x in light))
    assert is_srgb(without_curves(b"curv", table))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"curv", struct.pack(">I", 0)),
        (b"curv", struct.pack(">IH", 1, 563)),
        (b"para", struct.pack(">HHi", 0, 0, 2 << 16)),
        (b"xxxx", b""),
    ],
)
def test_other_curves_are_not(kind: bytes, body: bytes) -> None:
    assert not is_srgb(without_curves(kind, body) + b"sRGB IEC61966-2.1")


@pytest.mark.parametrize("data", [b"", b"x" * 200, SRGB[:140], b"sRGB IEC61966-2.1", bytes(4096)])
def test_what_makes_no_sense_is_not(data: bytes) -> None:
    assert not is_srgb(data)


def test_another_kind_of_colour_is_not() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert not is_srgb(lab)
