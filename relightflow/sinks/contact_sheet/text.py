"""Words on a sheet: fonts, how wide a text is, and what may be drawn of a text from outside.

The usual font is shipped, and its glyphs are placed by FreeType's basic layout, so that the same words
give the same pixels on every machine. Letters that it lacks are drawn with a font that `fallback` finds;
scripts that join their letters are shaped by raqm where Pillow has it, else by `bidi`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFont, features

from relightflow.plugins.sink import SinkFailed
from relightflow.sinks.contact_sheet.bidi import has_rtl, runs, visual
from relightflow.sinks.contact_sheet.fallback import font_for, shows

_FONTS = Path(__file__).parent / "fonts"
_ELLIPSIS = "…"
_LONGEST = 400
_PICTURES = (109, 136, 160, 96, 64)
"""Pixels of fonts that hold pictures, such as coloured emoji, in one size."""


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
        if not _is_foreign(text):
            return -int(-self.font.getlength(text) // 1)
        return -int(-sum(piece.length for piece in self._pieces(text)) // 1)

    def draw(
        self,
        canvas: Image.Image,
        draw: ImageDraw.ImageDraw,
        place: tuple[float, float],
        text: str,
        colour: tuple[int, int, int],
        anchor: Literal["la", "mm"] = "la",
    ) -> None:
        """Put `text` on `canvas`; `anchor`: its top left corner is at `place`, or its middle."""
        if not _is_foreign(text):
            draw.text(place, text, font=self.font, fill=colour, anchor=anchor)
            return
        x, y = place
        if anchor == "mm":
            x, y = x - self.width(text) / 2, y - self.line / 2
        base = y + self.font.getmetrics()[0]
        for piece in self._pieces(text):
            piece.draw(canvas, draw, x, base, colour)
            x += piece.length

    def _pieces(self, text: str) -> Iterator[_Segment]:
        """`text` from left to right, a piece for each font."""
        for run, rtl in runs(text) if has_rtl(text) else [(text, False)]:
            if rtl:
                path = next((found for c in run if (found := font_for(c))), None)
                whole = path and _shapes() and all(shows(path, char) for char in run)
                spelled = run if whole else visual(run)
                if whole and path:
                    yield _Segment(spelled, _file(path, self.size, _shapes()), 1.0)
                    continue
                run = spelled
            for path, group in groupby(run, key=_source):
                piece = "".join(group)
                if path is None:
                    yield _Segment(piece, self.font, 1.0)
                else:
                    font = _file(
                        path, self.size, _shapes() and not rtl
                    )  # else it is turned already
                    yield _Segment(piece, font, self.size / font.size)

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


@dataclass(frozen=True, slots=True)
class _Segment:
    """Some text in one font."""

    text: str
    font: ImageFont.FreeTypeFont
    scale: float
    """Of a font of pictures, which has one size only; 1: it is drawn as it is."""

    @property
    def length(self) -> float:
        return self.font.getlength(self.text) * self.scale

    def draw(
        self,
        canvas: Image.Image,
        draw: ImageDraw.ImageDraw,
        x: float,
        base: float,
        colour: tuple[int, int, int],
    ) -> None:
        if self.scale == 1.0:
            draw.text((x, base), self.text, font=self.font, fill=colour, anchor="ls")
            return
        left, top, right, bottom = self.font.getbbox(self.text, anchor="ls")
        size = (max(1, round(right - left)), max(1, round(bottom - top)))
        picture = Image.new("RGBA", size, (*colour, 0))
        ImageDraw.Draw(picture).text(
            (-left, -top), self.text, font=self.font, fill=colour, anchor="ls", embedded_color=True
        )
        width, height = (max(1, round(side * self.scale)) for side in size)
        small = picture.resize((width, height))
        at = (round(x + left * self.scale), round(base + top * self.scale))
        canvas.paste(small, at, small)


def fonts_of(text: str) -> list[str]:
    """The names of the fonts that `text` needs beside the shipped one, and how letters are joined."""
    found = sorted({path.name for char in text if (path := _source(char))})
    return [*found, "raqm" if _shapes() else "basic"] if found else []


def drawable(text: str) -> str:
    """`text` from outside, safe to draw: nothing that hides, turns or breaks a line is left.

    Format characters (right-to-left marks and such) are dropped; controls and what no font can show are
    spelled as escapes.
    """
    shown = []
    for char in unicodedata.normalize("NFC", text[:_LONGEST]):
        category = unicodedata.category(char)
        if category in ("Zs", "Zl", "Zp"):
            shown.append(" ")
        elif category != "Cf" and not "\ufe00" <= char <= "\ufe0f":  # nor choices between glyphs
            known = category[0] != "C" and (_has(char) or _draws(char))
            shown.append(char if known else _escaped(char))
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


def _is_foreign(text: str) -> bool:
    """Whether the shipped font alone cannot draw it."""
    return not text.isascii() and any(not _has(char) for char in text)


def _draws(char: str) -> bool:
    """Whether another font is there that shows `char`. Pictures may be in a form that is not drawn."""
    path = font_for(char)
    return path is not None and _marks(path, char)


@lru_cache(maxsize=4096)
def _marks(path: Path, char: str) -> bool:
    with suppress(SinkFailed, OSError):
        return _file(path, 16, shaped=False).getmask(char).getbbox() is not None
    return False


def _source(char: str) -> Path | None:
    """The font for `char`; None: the shipped one, also where no font has it."""
    return None if _has(char) else font_for(char)


@lru_cache(maxsize=1)
def _shapes() -> bool:
    """Whether Pillow joins and turns letters as their script asks for."""
    return bool(features.check("raqm"))


@lru_cache(maxsize=64)
def _file(path: Path, size: int, shaped: bool) -> ImageFont.FreeTypeFont:
    """The font in that size, or in the only one that it has. Raises SinkFailed."""
    layout = ImageFont.Layout.RAQM if shaped else ImageFont.Layout.BASIC
    for wanted in (size, *_PICTURES):
        with suppress(OSError):
            return ImageFont.truetype(str(path), wanted, layout_engine=layout)
    raise SinkFailed(f"the font {path} cannot be used; name another one with the option `font`")


@lru_cache(maxsize=4096)
def _has(char: str) -> bool:
    """Whether the font can show `char`: a missing one is drawn as the font's empty box."""
    font = _font(16, False)
    return bytes(font.getmask(char)) != bytes(font.getmask("\uffff"))
