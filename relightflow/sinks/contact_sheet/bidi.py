"""Text from right to left, where the drawing library cannot: joins Arabic letters and turns runs.

Enough for names: no levels within levels. Letters and their joined forms are those of Unicode's own
compatibility decompositions ("Arabic Presentation Forms", A and B).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import groupby

_FORMS = ("isolated", "final", "initial", "medial")
_TURNED = str.maketrans("()[]{}<>«»", ")(][}{><»«")


def _is_rtl(character: str) -> bool:
    """Whether it is a letter of a script that runs from right to left."""
    return unicodedata.bidirectional(character) in ("R", "AL")


def has_rtl(text: str) -> bool:
    return not text.isascii() and any(map(_is_rtl, text))


def runs(text: str) -> list[tuple[str, bool]]:
    """`text`, which runs from left to right as a whole, in pieces: (piece, whether it runs from right to
    left). Spaces, digits and signs between two letters from right to left belong to them."""
    marks = [_is_rtl(character) for character in text]
    held = 0
    for at, (character, rtl) in enumerate(zip(text, marks, strict=True)):
        if rtl:
            if held and marks[held - 1]:
                marks[held:at] = [True] * (at - held)
            held = at + 1
        elif (
            at
            and marks[at - 1]
            and (unicodedata.combining(character) or _closes(text[:at], marks, character))
        ):
            marks[at] = True
            held = at + 1
        elif unicodedata.bidirectional(character) == "L":
            held = 0
    pieces = []
    at = 0
    for rtl, group in groupby(marks):
        size = len(list(group))
        pieces.append((text[at : at + size], rtl))
        at += size
    return pieces


def _closes(before: str, marks: list[bool], character: str) -> bool:
    """Whether it is a bracket that was opened among the letters from right to left before it."""
    opening = character.translate(_TURNED)
    if opening == character or opening not in "([{<«":
        return False
    start = next((n for n in range(len(before), 0, -1) if not marks[n - 1]), 0)
    return before.count(opening, start) > before.count(character, start)


def visual(piece: str) -> str:
    """A piece that runs from right to left, joined, and in the order in which it is drawn from the left."""
    joined = _joined(piece)
    clusters: list[str] = []
    for character in joined:
        mark = unicodedata.combining(character)
        number = unicodedata.bidirectional(character) in ("EN", "AN")
        before = clusters[-1][-1] if clusters else ""
        if clusters and (mark or (number and unicodedata.bidirectional(before) in ("EN", "AN"))):
            clusters[-1] += character
        else:
            clusters.append(character)
    return "".join(reversed(clusters)).translate(_TURNED)


def _joined(piece: str) -> str:
    """Each Arabic letter in the form that its neighbours ask for."""
    forms = _forms()
    letters = [n for n, c in enumerate(piece) if not unicodedata.combining(c)]
    shown = list(piece)
    for place, at in enumerate(letters):
        here = forms.get(piece[at])
        if here is None:
            continue
        before = piece[letters[place - 1]] if place else ""
        after = piece[letters[place + 1]] if place + 1 < len(letters) else ""
        joins_before = "initial" in forms.get(before, {}) and "final" in here
        joins_after = "final" in forms.get(after, {}) and "initial" in here
        form = _FORMS[joins_before + 2 * joins_after]
        shown[at] = here.get(form, piece[at])
    return "".join(shown)


@lru_cache(maxsize=1)
def _forms() -> dict[str, dict[str, str]]:
    """Letter → form → the character that has that form."""
    found: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFDFD), *range(0xFE70, 0xFEFD)):
        kind, *letters = unicodedata.decomposition(chr(code)).split() or [""]
        if len(letters) == 1 and kind.strip("<>") in _FORMS:
            found.setdefault(chr(int(letters[0], 16)), {})[kind.strip("<>")] = chr(code)
    return found
