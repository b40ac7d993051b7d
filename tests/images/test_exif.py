from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.images.exif import orientation


def block(order: str, value: int, kind: int = 3, tag: int = 0x0112) -> bytes:
    mark = b"II*\x00" if order == "<" else b"MM\x00*"
    entry = struct.pack(order + "HHI", tag, kind, 1)
    entry += struct.pack(order + "HH", value, 0) if kind == 3 else struct.pack(order + "I", value)
    return mark + struct.pack(order + "IH", 8, 1) + entry + b"\x00" * 4


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("value", range(1, 9))
def test_both_byte_orders_are_read(order: str, kind: int, value: int) -> None:
    assert orientation(block(order, value, kind)) == value
    assert orientation(b"Exif\x00\x00" + block(order, value, kind)) == value


@pytest.mark.parametrize("bad", [b"", b"II*\x00", block("<", 0), block("<", 9), block("<", 6)[:15]])
def test_what_makes_no_sense_means_upright(bad: bytes) -> None:
    assert orientation(bad) == 1


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(junk: bytes) -> None:
    assert 1 <= orientation(b"MM\x00*" + junk) <= 8
