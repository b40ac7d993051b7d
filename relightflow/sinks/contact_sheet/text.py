"""Words on a sheet: fonts, how wide a text is, and what may be drawn of a text from outside.

The fonts are shipped, and glyphs are placed by FreeType's basic layout, so that the same words give
the same pixels on every machine.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

_FONTS = Path(__file__).parent / "fonts"
_ELLIPSIS = "…"
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Face:
    """A font in one size."""

    size: int
    """Pixels of the em square."""
    medium: bool = False

    @property
    def line(self) -> int:
        """Pixels from one line to the next."""
        return round(self.size * 1.36)

    @property
    def font(self) -> ImageFont.FreeTypeFont:
        return _font(self.size, self.medium)

    def width(self, text: str) -> int:
        """Pixels that `text` takes, rounded up."""
        return -int(-self.font.getlength(text) // 1)

    def fitted(self, text: str, width: int) -> str:
        """`text`, its middle left out where it is wider than `width` pixels."""
        if self.width(text) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            keep = (low + high + 1) // 2
            if self.width(_without_middle(text, keep)) <= width:
                low = keep
            else:
                high = keep - 1
        return _without_middle(text, low)

    def lines(self, text: str, width: int, most: int) -> list[str]:
        """`text` in at most `most` lines, broken at spaces; the last is shortened."""
        words = text.split(" ")
        lines: list[str] = []
        while words and len(lines) < most - 1:
            taken = 1
            while taken < len(words) and self.width(" ".join(words[: taken + 1])) <= width:
                taken += 1
            lines.append(self.fitted(" ".join(words[:taken]), width))
            words = words[taken:]
        return [*lines, self.fitted(" ".join(words), width)] if words else lines


def drawable(text: str) -> str:
    """`text` from outside, safe to draw: nothing that hides, turns or breaks a line is left.

    Format characters (right-to-left marks and such) are dropped; controls and what the font cannot
    show are spelled as escapes.
    """
    shown = []
    for char in unicodedata.normalize("NFC", text[:_LONGEST]):
        category = unicodedata.category(char)
        if category in ("Zs", "Zl", "Zp"):
            shown.append(" ")
        elif category != "Cf":
            shown.append(char if category[0] != "C" and _has(char) else _escaped(char))
    return " ".join("".join(shown).split())


def _escaped(char: str) -> str:
    return (
        char.encode("ascii", "backslashreplace").decode()
        if char > "\x7f"
        else f"\\x{ord(char):02x}"
    )


def _without_middle(text: str, keep: int) -> str:
    tail = keep // 2
    return text[: keep - tail].rstrip() + _ELLIPSIS + (text[-tail:].lstrip() if tail else "")


@lru_cache(maxsize=32)
def _font(size: int, medium: bool) -> ImageFont.FreeTypeFont:
    path = _FONTS / ("Roboto-Medium.ttf" if medium else "Roboto-Regular.ttf")
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _has(char: str) -> bool:
    """Whether the font can show `char`: a missing one is drawn as the font's empty box."""
    font = _font(16, False)
    return bytes(font.getmask(char)) != bytes(font.getmask("\uffff"))
