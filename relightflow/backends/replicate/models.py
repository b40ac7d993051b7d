"""Replicate's relighting models, one row each: another model is another row and no code.

Source of parameters and values: the models' pages and what callers send, as of autumn 2026; see
docs/reference/replicate.md for what is documented and what is not. Imports no network library.
"""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.backends.http.response import number
from relightflow.backends.table import Delivery, ModelRow
from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.light import LightTable
from relightflow.model.money import Micros, micros

DEADLINE = 300
"""Seconds after which Replicate ends a call, whatever it is doing: so what one can cost has a bound."""


@dataclass(frozen=True, slots=True)
class ReplicateRow(ModelRow):
    """What a call names beside the model, and what its seconds cost."""

    version: str = ""
    """Empty: the model is called by its name."""
    second: Micros | None = None
    """Micro-dollars for a second of its hardware; None: it is charged otherwise, or nobody says how."""

    def cost(self, seconds: object) -> Micros | None:
        """What so many seconds of work cost, rounded up; None: that cannot be told."""
        took = number(seconds)
        if self.second is None or took is None or not 0 <= took < 1e6:
            return None
        return -int(-took * self.second // 1)


_L40S = micros("0.000975")
"""USD a second of the hardware that the model's page names."""

_IC_LIGHT = Model(
    name="zsxkib/ic-light",
    parameters=(
        Parameter("prompt", "text", required=True, summary="Description of the scene and its light."),
        Parameter(
            "light_source",
            values=("None", "Left Light", "Right Light", "Top Light", "Bottom Light"),
            default="None",
            summary="Where the light comes from.",
        ),
        Parameter("appended_prompt", "text", summary="Text that is appended to the prompt."),
        Parameter("negative_prompt", "text", summary="What the result should not show."),
        Parameter(
            "width", "integer", default=512, minimum=256, maximum=1024, step=64,
            summary="Width of the result in pixels, before high-resolution scaling.",
        ),
        Parameter(
            "height", "integer", default=640, minimum=256, maximum=1024, step=64,
            summary="Height of the result in pixels, before high-resolution scaling.",
        ),
        Parameter(
            "steps", "integer", default=25, minimum=1, maximum=100,
            summary="Number of diffusion steps.",
        ),
        Parameter(
            "cfg", "number", default=2, minimum=1, maximum=32,
            summary="Guidance scale: how closely the result follows the prompt.",
        ),
        Parameter(
            "highres_scale", "number", default=1.5, minimum=1, maximum=3,
            summary="Scale of the high-resolution pass.",
        ),
        Parameter(
            "lowres_denoise", "number", default=0.9, minimum=0.1, maximum=1,
            summary="Denoising strength of the low-resolution pass.",
        ),
        Parameter(
            "highres_denoise", "number", default=0.5, minimum=0.1, maximum=1,
            summary="Denoising strength of the high-resolution pass.",
        ),
        Parameter("seed", "integer", summary="Seed of the random noise; left out: another each time."),
        # one call is one image here: more of them are `repeat`
        Parameter(
            "number_of_images", "integer", default=1, minimum=1, maximum=1,
            summary="Always 1; use `repeat` for more results.",
        ),
        Parameter(
            "output_format", values=("webp", "jpg", "png"), default="webp",
            summary="Image format of the result.",
        ),
        Parameter(
            "output_quality", "integer", default=80, minimum=1, maximum=100,
            summary="Quality of a JPEG or WebP.",
        ),
    ),
    price=Price(micros("0.005"), _L40S * DEADLINE),
    light=LightTable.with_sides(
        "light_source", "Left Light", "Right Light", "Top Light", "prompt"
    ),
    typical_seconds=12.0,
    summary="IC-Light: relights a cut-out subject according to a text description and a side",
)  # fmt: skip

_QWEN = Model(
    name="qwen-edit-apps/qwen-image-edit-plus-lora-relight",
    parameters=(
        Parameter("prompt", "text", required=True, summary="Description of the light."),
        Parameter(
            "aspect_ratio",
            values=("match_input_image", "1:1", "16:9", "9:16", "4:3", "3:4"),
            default="match_input_image",
            summary="Shape of the result.",
        ),
        Parameter("seed", "integer", summary="Seed of the random noise; left out: another each time."),
        Parameter(
            "output_format", values=("webp", "jpg", "png"), default="webp",
            summary="Image format of the result.",
        ),
        Parameter(
            "output_quality", "integer", default=95, minimum=0, maximum=100,
            summary="Quality of a JPEG or WebP.",
        ),
    ),
    price=None,
    light=LightTable.in_words("prompt"),
    summary="Qwen Image Edit, trained to relight according to a text description; its price must be given",
)  # fmt: skip

TABLE: tuple[ReplicateRow, ...] = (
    ReplicateRow(
        _IC_LIGHT,
        "subject_image",
        "d41bcb10d8c159868f4cfbd7c6a2ca01484f7d39e4613419d5952c61562f1ba7",
        _L40S,
    ),
    ReplicateRow(_QWEN, "image"),
)
MODELS: tuple[Model, ...] = tuple(row.model for row in TABLE)
"""The first is the default."""

DELIVERY = Delivery(
    "Replicate",
    "an upload to its file storage",
    "uploaded to Replicate's file storage, where they stay until Replicate deletes them",
    "sent to Replicate inside each request, which Replicate deletes after an hour",
    "inside the request (advised for small images only)",
)


def named(model: object, version: object) -> str:
    """The model that a prediction is of, as this table calls it; empty where it does not tell."""
    by_version = next((r.model.name for r in TABLE if r.version and r.version == version), "")
    return by_version or (model if isinstance(model, str) else "")
