"""One vocabulary of light: four axes whose names and values mean the same whatever model makes them.

A model that takes them as they are needs no table. Any other has a `LightTable`, which says for each value
what the model is sent instead, and how well that fits. The values are those of the first models that
relightflow knew (docs.segmind.com, segmind-relighting).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from relightflow.model.values import FrozenMap, Parameters, Scalar

Fit = Literal["exact", "near"]
LIGHT: Mapping[str, tuple[str, ...]] = {
    "light_direction": ("left", "right", "top", "back"),
    "light_intensity": ("mood", "bright", "medium", "strong"),
    "light_temperature": ("warm", "cool", "neutral", "sunset"),
    "light_type": ("softbox", "sunlight", "spotlight", "ambient"),
}
"""Axis → its values."""
LIGHT_PHRASES: Mapping[tuple[str, str], str] = {
    ("light_direction", "left"): "light from the left",
    ("light_direction", "right"): "light from the right",
    ("light_direction", "top"): "light from above",
    ("light_direction", "back"): "lit from behind, rim light",
    ("light_intensity", "mood"): "dim, moody light",
    ("light_intensity", "bright"): "bright light",
    ("light_intensity", "medium"): "even light of medium strength",
    ("light_intensity", "strong"): "strong, contrasty light",
    ("light_temperature", "warm"): "warm light",
    ("light_temperature", "cool"): "cool light",
    ("light_temperature", "neutral"): "neutral white light",
    ("light_temperature", "sunset"): "orange light of sunset",
    ("light_type", "softbox"): "soft studio light of a softbox",
    ("light_type", "sunlight"): "direct sunlight",
    ("light_type", "spotlight"): "a spotlight on the subject",
    ("light_type", "ambient"): "soft ambient light",
}
"""Axis and value → words for a model that is told in a prompt: always only near."""
LIGHT_SUMMARIES: Mapping[str, str] = {
    "light_direction": "Where the light comes from.",
    "light_intensity": "How strong the light is.",
    "light_temperature": "Colour of the light.",
    "light_type": "Kind of light source.",
}


@dataclass(frozen=True, slots=True)
class LightRow:
    """What a model is sent for one value of an axis of light."""

    axis: str
    """Such as `light_direction`."""
    value: str
    """Of the vocabulary, such as `left`."""
    parameter: str
    """The model's own parameter that is set. Where it is the table's `words`, `sent` is added to it."""
    sent: Scalar
    """What that parameter is set to."""
    fit: Fit = "near"
    """`exact`: the provider's documentation says the same of it. `near`: the closest that it has."""


@dataclass(frozen=True, slots=True)
class LightTable:
    """What a model makes of the vocabulary. A value without a row it cannot do."""

    version: int
    """Raised with every change of a row. Job keys need no version: they hold what is sent."""
    rows: tuple[LightRow, ...]
    """In any order; at most one for each value."""
    words: str = ""
    """A text parameter, such as a prompt, to which phrases are added after a comma; empty: none."""

    @classmethod
    def of(
        cls,
        version: int,
        rows: Mapping[str, Mapping[str, tuple[str, Scalar] | tuple[str, Scalar, Fit]]],
        words: str = "",
    ) -> LightTable:
        """`rows`: axis → value → (parameter, what is sent, how well it fits: `near` where it is not
        said)."""
        found = (
            LightRow(axis, value, *sent)
            for axis, values in rows.items()
            for value, sent in values.items()
        )
        return cls(version, tuple(found), words)

    @classmethod
    def in_words(cls, parameter: str, version: int = 1) -> LightTable:
        """Of a model that is told everything in a prompt, which is this text parameter."""
        rows = (
            LightRow(axis, value, parameter, words)
            for (axis, value), words in LIGHT_PHRASES.items()
        )
        return cls(version, tuple(rows), parameter)

    @classmethod
    def with_sides(
        cls, parameter: str, left: Scalar, right: Scalar, top: Scalar, words: str, version: int = 1
    ) -> LightTable:
        """Of a model that knows three sides by a parameter, and is told all else in the prompt `words`."""
        sides = {"left": left, "right": right, "top": top}
        known = (
            LightRow("light_direction", side, parameter, sent, "exact")
            for side, sent in sides.items()
        )
        told = (row for row in cls.in_words(words).rows if row.value not in sides)
        return cls(version, (*known, *told), words)

    def row(self, axis: str, value: Scalar) -> LightRow | None:
        """None: it cannot be done."""
        return next((r for r in self.rows if r.axis == axis and r.value == value), None)

    def axes(self) -> tuple[str, ...]:
        """Those of which at least one value can be done."""
        return tuple(axis for axis in LIGHT if any(row.axis == axis for row in self.rows))

    def sets(self, axis: str, values: Iterable[Scalar]) -> frozenset[str]:
        """The model's parameters that these values of an axis decide alone."""
        rows = (self.row(axis, value) for value in values)
        return frozenset(r.parameter for r in rows if r is not None) - {self.words}

    def sent(self, cell: Parameters) -> Parameters:
        """`cell` in the model's own parameters, as far as it speaks of light in the vocabulary."""
        changed: dict[str, Scalar] = dict(cell)
        phrases: list[str] = []
        for axis in LIGHT:
            row = self.row(axis, cell[axis]) if axis in cell else None
            if row is None:
                continue
            if row.parameter == self.words:
                phrases.append(str(row.sent))
            else:
                changed[row.parameter] = row.sent
        if phrases:
            given = str(cell.get(self.words, "") or "").rstrip(" .,")
            changed[self.words] = ", ".join(filter(None, (given, *phrases)))
        return FrozenMap(changed)
