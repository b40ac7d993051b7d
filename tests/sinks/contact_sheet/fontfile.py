"""Builds small TrueType fonts in which every character is a box, for tests that need one by name."""

import struct
from collections.abc import Iterable

EM = 1000


def font(characters: Iterable[str], form: int = 12, width: int = 600) -> bytes:
    """A font that shows exactly these; `form` of its table of characters: 4 or 12."""
    codes = sorted({ord(character) for character in characters})
    box = struct.pack(">hhhhh", 1, 50, 0, width - 50, 700) + struct.pack(">HH", 3, 0)
    box += bytes((1, 1, 1, 1))
    box += struct.pack(">4h", 50, 0, width - 100, 0) + struct.pack(">4h", 0, 700, 0, -700)
    box += bytes(-len(box) % 4)
    glyphs = len(codes) + 1
    tables = {
        b"cmap": _cmap(codes, form),
        b"glyf": box,
        b"head": struct.pack(
            ">IIIIHHQQhhhhHHhhh",
            0x10000, 0x10000, 0, 0x5F0F3CF5, 0, EM, 0, 0, 0, 0, width, 700, 0, 8, 2, 1, 0,
        ),
        b"hhea": struct.pack(
            ">IhhhHhhhhhh8xhH", 0x10000, 800, -200, 0, width, 0, 0, width, 1, 0, 0, 0, glyphs
        ),
        b"hmtx": struct.pack(">Hh", width, 50) * glyphs,
        b"loca": struct.pack(f">{glyphs + 1}I", 0, 0, *[len(box)] * (glyphs - 1)),
        b"maxp": struct.pack(">IH13H", 0x10000, glyphs, 4, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0),
    }  # fmt: skip
    # every character is the first box: glyph 1
    head = struct.pack(">IHHHH", 0x10000, len(tables), 128, 3, 0)
    at, directory, body = 12 + 16 * len(tables), b"", b""
    for tag, table in sorted(tables.items()):
        directory += tag + struct.pack(">III", 0, at + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    return head + directory + body


def _cmap(codes: list[int], form: int) -> bytes:
    start = struct.pack(">HHHHI", 0, 1, 3, 10 if form == 12 else 1, 12)
    if form == 12:
        groups = b"".join(struct.pack(">III", code, code, 1) for code in codes)
        return start + struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(codes)) + groups
    ends = [*codes, 0xFFFF]
    deltas = [(1 - code) & 0xFFFF for code in codes] + [1]
    count = len(ends)
    body = struct.pack(f">{count}H2x{count}H{count}H{count}H", *ends, *ends, *deltas, *[0] * count)
    return start + struct.pack(">7H", 4, 14 + len(body), 0, count * 2, 0, 0, 0) + body
