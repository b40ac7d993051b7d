"""Bria's relighting, as several providers sell it: its two parameters, and what light they can do.

Source: Bria's page of the model, and those of the providers, some of which shorten the words. It says
`side` without saying which one.
"""

from __future__ import annotations

from collections.abc import Sequence

from relightflow.model.catalog import Parameter
from relightflow.model.light import LightTable

_DIRECTIONS = ("front", "side", "bottom", "top-down")
TYPES = (
    "midday", "blue hour light", "low-angle sunlight", "sunrise light",
    "spotlight on subject, keep background settings", "overcast light",
    "soft overcast daylight lighting", "cloud-filtered lighting", "fog-diffused lighting",
    "moonlight lighting", "starlight lighting nighttime", "soft bokeh lighting",
    "harsh studio lighting keep background setting",
)  # fmt: skip
"""As Bria's own page has them."""


def parameters(types: Sequence[str] = TYPES) -> tuple[Parameter, Parameter]:
    """`types`: the provider's words for `light_type`."""
    return (
        Parameter(
            "light_direction", values=_DIRECTIONS, default="front",
            summary="Where the light comes from; the provider does not say which side `side` is.",
        ),
        Parameter(
            "light_type", values=tuple(types), default="soft overcast daylight lighting",
            summary="Kind of light.",
        ),
    )  # fmt: skip


def light(types: Sequence[str] = TYPES) -> LightTable:
    """What is sent for the four axes of light, in the provider's words."""
    spotlight, studio = (
        next(word for word in types if word.startswith(start))
        for start in ("spotlight on subject", "harsh studio lighting")
    )
    return LightTable.of(
        1,
        {
            "light_direction": {
                "left": ("light_direction", "side"),
                "right": ("light_direction", "side"),
                "top": ("light_direction", "top-down", "exact"),
            },
            "light_type": {
                "softbox": ("light_type", studio),
                "sunlight": ("light_type", "midday"),
                "spotlight": ("light_type", spotlight, "exact"),
                "ambient": ("light_type", "overcast light"),
            },
        },
    )
