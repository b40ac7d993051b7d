"""fal's relighting models, one row each: another model is another row and no code.

Source of parameters, values and prices: fal's model pages and what callers send, as of autumn 2026; see
docs/reference/fal.md for what is documented and what is not. Imports no network library.
"""

from __future__ import annotations

from relightflow.backends import bria
from relightflow.backends.table import Delivery, ModelRow
from relightflow.model.catalog import MegapixelPrice, Model, Parameter, Price
from relightflow.model.light import LightTable
from relightflow.model.money import micros


def _choice(name: str, default: str | None, *values: str, summary: str) -> Parameter:
    return Parameter(name, values=values, default=default, summary=summary)


_BRIA_TYPES = (
    "midday", "blue hour light", "low-angle sunlight", "sunrise light", "spotlight on subject",
    "overcast light", "soft overcast daylight lighting", "cloud-filtered lighting",
    "fog-diffused lighting", "moonlight lighting", "starlight nighttime", "soft bokeh lighting",
    "harsh studio lighting",
)  # fmt: skip
_FIBO = Model(
    name="bria/fibo-edit/relight",
    parameters=bria.parameters(_BRIA_TYPES),
    light=bria.light(_BRIA_TYPES),
    price=Price(micros("0.04"), micros("0.04")),
    summary="Bria's FIBO: relights a photograph, trained on licensed data",
)  # fmt: skip

_APPS_LIGHT = LightTable.of(
    1,
    {
        "light_direction": {
            "left": ("lighting_style", "side_light"),
            "right": ("lighting_style", "side_light"),
            "back": ("lighting_style", "backlight", "exact"),
        },
        "light_intensity": {"mood": ("lighting_style", "dramatic")},
        "light_temperature": {
            "warm": ("lighting_style", "golden_hour"),
            "cool": ("lighting_style", "blue_hour"),
            "sunset": ("lighting_style", "sunset", "exact"),
        },
        "light_type": {
            "softbox": ("lighting_style", "studio"),
            "sunlight": ("lighting_style", "natural"),
            "spotlight": ("lighting_style", "spotlight", "exact"),
            "ambient": ("lighting_style", "ambient", "exact"),
        },
    },
)
_APPS = Model(
    name="fal-ai/image-apps-v2/relighting",
    parameters=(
        _choice(
            "lighting_style", "natural",
            "natural", "studio", "golden_hour", "blue_hour", "dramatic", "soft", "hard", "backlight",
            "side_light", "front_light", "rim_light", "sunset", "sunrise", "neon", "candlelight",
            "moonlight", "spotlight", "ambient",
            summary="Style of the light.",
        ),
    ),
    price=Price(micros("0.04"), micros("0.04")),
    light=_APPS_LIGHT,
    summary="Relights a photograph in one of 18 styles",
)  # fmt: skip

_SIZES = (
    ("square_hd", 1024 * 1024), ("square", 512 * 512), ("portrait_4_3", 768 * 1024),
    ("portrait_16_9", 576 * 1024), ("landscape_4_3", 1024 * 768), ("landscape_16_9", 1024 * 576),
)  # fmt: skip
_PER_MEGAPIXEL = Price(micros("0.10"), micros("0.10"))

_IC_LIGHT = Model(
    name="fal-ai/iclight-v2",
    parameters=(
        Parameter("prompt", "text", required=True, summary="Description of the scene and its light."),
        _choice(
            "initial_latent", None, "Left", "Right", "Top", "Bottom",
            summary="Where the light comes from; left out: from nowhere in particular.",
        ),
        Parameter("negative_prompt", "text", summary="What the result should not show."),
        Parameter(
            "num_inference_steps", "integer", default=28, minimum=1, maximum=50,
            summary="Number of diffusion steps.",
        ),
        Parameter("guidance_scale", "number", minimum=0, maximum=20, summary="Guidance scale."),
        Parameter("seed", "integer", summary="Seed of the random noise."),
        _choice(
            "image_size", None, *(name for name, _ in _SIZES),
            summary="Size of the result; left out: that of the input.",
        ),
        _choice("output_format", "jpeg", "jpeg", "png", summary="Image format of the result."),
    ),
    price=_PER_MEGAPIXEL,
    light=LightTable.with_sides("initial_latent", "Left", "Right", "Top", "prompt"),
    by_size=MegapixelPrice(_PER_MEGAPIXEL, "image_size", _SIZES),
    typical_seconds=53.0,
    summary="IC-Light V2: relights a subject according to a text description",
)  # fmt: skip

TABLE = tuple(ModelRow(model, "image_url") for model in (_FIBO, _APPS, _IC_LIGHT))
MODELS: tuple[Model, ...] = tuple(row.model for row in TABLE)
"""The first is the default."""

DELIVERY = Delivery(
    "fal",
    "an upload (which gets a public address)",
    "uploaded to fal, to a public address that cannot be revoked (`delivery: inline` sends images "
    "inside each request instead)",
    "sent to fal inside each request, which fal keeps in its request history",
)
