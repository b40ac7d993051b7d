"""Segmind's models, one row each: another model is another row and no code.

Source of parameters, defaults, prices and times: the provider's model pages (docs.segmind.com).
Imports no network library, so that a recipe can be checked and priced without one.
"""

from __future__ import annotations

import difflib

from relightflow.backends.table import Delivery, ModelRow
from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.light import LightTable
from relightflow.model.money import micros
from relightflow.plugins.declared import wire


def _choice(name: str, default: str, *values: str, summary: str = "") -> Parameter:
    return Parameter(name, values=values, default=default, summary=summary)


def _optional(name: str, *values: str, summary: str = "") -> Parameter:
    """A choice that is left out of the call where a recipe says nothing."""
    return Parameter(name, values=values, summary=summary)


def _light(direction: str, intensity: str, temperature: str, kind: str) -> tuple[Parameter, ...]:
    """The four axes of light with one model's defaults, values in the provider's order."""
    return (
        _choice(
            "light_direction", direction, "left", "right", "top", "back",
            summary="Where the light comes from.",
        ),
        _choice(
            "light_intensity", intensity, "mood", "bright", "medium", "strong",
            summary="How strong the light is.",
        ),
        _choice(
            "light_temperature", temperature, "warm", "cool", "neutral", "sunset",
            summary="Colour of the light.",
        ),
        _choice(
            "light_type", kind, "softbox", "sunlight", "spotlight", "ambient",
            summary="Kind of light source.",
        ),
    )  # fmt: skip


_RELIGHTING = Model(
    name="segmind-relighting",
    parameters=_light("top", "medium", "neutral", "ambient"),
    price=Price(micros("0.05"), micros("0.05")),
    typical_seconds=10.34,
    summary="Relights a photograph: direction, intensity, temperature and type of light",
)

_RELIGHTING_V2 = Model(
    name="segmind-relighting-v2",
    parameters=(
        *_light("back", "strong", "warm", "spotlight"),
        # the provider names only some values of these three, so any word is let through
        Parameter("size", "text", summary="Size of the result in pixels, such as auto."),
        Parameter("quality", "text", summary="Such as high; higher quality costs more."),
        Parameter("background", "text", summary="Such as opaque."),
        Parameter(
            "output_compression",
            "integer",
            minimum=0,
            maximum=100,
            summary="Compression of a JPEG or WebP.",
        ),
        _optional("output_format", "png", "jpeg", "webp", summary="Image format of the result."),
    ),
    price=Price(micros("0.033"), micros("0.333")),
    typical_seconds=70.0,
    summary="The same four parameters with a newer, slower model; priced by size and quality",
)

_IC_LIGHT = Model(
    name="ic-light",
    parameters=(
        Parameter(
            "prompt", "text", required=True, summary="Description of the scene and its light."
        ),
        Parameter("appended_prompt", "text", summary="Text that is appended to the prompt."),
        Parameter("negative_prompt", "text", summary="What the result should not show."),
        Parameter(
            "cfg",
            "number",
            default=2,
            minimum=1,
            maximum=32,
            summary="Guidance scale: how closely the result follows the prompt.",
        ),
        Parameter("seed", "integer", default=42, summary="Seed of the random noise."),
        Parameter("steps", "integer", default=25, minimum=1, summary="Number of diffusion steps."),
        Parameter(
            "width",
            "integer",
            default=512,
            minimum=256,
            maximum=1024,
            step=64,
            summary="Width of the result in pixels, before high-resolution scaling.",
        ),
        Parameter(
            "height",
            "integer",
            default=640,
            minimum=256,
            maximum=1024,
            step=64,
            summary="Height of the result in pixels, before high-resolution scaling.",
        ),
        Parameter(
            "highres_scale", "number", default=1.5, summary="Scale of the high-resolution pass."
        ),
        Parameter(
            "lowres_denoise",
            "number",
            default=0.9,
            summary="Denoising strength of the low-resolution pass.",
        ),
        Parameter(
            "highres_denoise",
            "number",
            default=0.5,
            summary="Denoising strength of the high-resolution pass.",
        ),
        # one call is one image here: more of them are `repeat` and a varied seed
        Parameter(
            "number_of_images",
            "integer",
            default=1,
            minimum=1,
            maximum=1,
            summary="Always 1; use `repeat` for more results.",
        ),
        _choice(
            "output_format", "webp", "webp", "png", "jpeg", summary="Image format of the result."
        ),
        Parameter(
            "output_quality",
            "integer",
            default=80,
            minimum=1,
            maximum=100,
            summary="Quality of a JPEG or WebP.",
        ),
    ),
    price=Price(micros("0.037"), micros("0.037")),
    typical_seconds=31.0,
    light=LightTable.in_words("prompt"),
    summary="IC-Light: relights a subject according to a text description",
)

TABLE: tuple[ModelRow, ...] = (
    ModelRow(_RELIGHTING, image_field="image"),
    ModelRow(_RELIGHTING_V2, image_field="image"),
    ModelRow(_IC_LIGHT, image_field="subject_image"),
)
MODELS: tuple[Model, ...] = tuple(row.model for row in TABLE)
"""The first is the default."""

API = {
    "enum": ["auto", "v2", "v1"],
    "default": "auto",
    "description": "v2 submits and polls, v1 waits for the answer, auto uses v2 where available.",
}
"""The backend's own option in a recipe."""
DELIVERY = Delivery(
    "Segmind",
    "an upload (which gets a public address that cannot be revoked)",
    "uploaded to Segmind, to a public address that cannot be revoked (`delivery: inline` sends images "
    "inside each request instead)",
    "sent to Segmind inside each request, without an address",
)


def as_model(model: Model) -> Model:
    """A declared model. Raises ValueError where it costs nothing: what is free is bought again whenever that
    seems useful, and no limit holds it."""
    if model.price is None or model.price.free:
        raise ValueError(
            "price: must be above 0; a model whose price is 0 would be bought without any limit"
        )
    return model


def declared_rows(model: Model) -> tuple[ModelRow, ...]:
    """The row of a model that the operator declared; empty: it is not one."""
    return (ModelRow(model, str(wire(model)["image"])),) if model.wire else ()


def nearest(name: str) -> str:
    """The known model whose name is most like `name`, other than itself; empty where none is."""
    others = [model.name for model in MODELS if model.name != name]
    return next(iter(difflib.get_close_matches(name, others, n=1, cutoff=0.3)), "")
