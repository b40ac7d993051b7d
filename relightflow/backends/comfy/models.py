"""Comfy Router's relighting models, one row each. Imports no network library.

Sources: the provider's and Bria's model pages; docs/reference/comfy.md says what nobody has checked
against the service.
"""

from __future__ import annotations

from relightflow.backends import bria
from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.light import LightTable
from relightflow.model.money import micros
from relightflow.model.values import FrozenMap

CREDITS_A_DOLLAR = 211

_BRIA = Model(
    name="bria/image-edit-relight",
    parameters=bria.parameters(),
    light=bria.light(),
    price=Price(micros("0.04"), micros("0.04")),
    typical_seconds=20.0,
    summary="Bria's relighting: direction and kind of light, trained on licensed data",
)  # fmt: skip

_FREEPIK = Model(
    name="freepik/ai-image-relight",
    parameters=(
        Parameter("prompt", "text", required=True, summary="Description of the light."),
        # the provider's page names seven styles and nine engines; any word is let through
        Parameter("style", "text", summary="Such as standard."),
        Parameter("engine", "text", summary="Such as automatic."),
        Parameter(
            "light_transfer_strength", "integer", minimum=0, maximum=100,
            summary="How strongly the light is changed.",
        ),
    ),
    light=LightTable.in_words("prompt"),
    price=None,
    summary="Freepik's relighting according to a text description; its price must be given",
)  # fmt: skip

MODELS: tuple[Model, ...] = (_BRIA, _FREEPIK)
"""The first is the default."""


def disclosed(_options: FrozenMap, _delivery: str) -> str:
    """What becomes of images, in words that follow 'the images are'."""
    return (
        "sent to Comfy Router inside each request and by it to the model's maker; results get an "
        "address that anybody who knows it can open"
    )
