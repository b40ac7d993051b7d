"""The models that the emulated Segmind offers.

Kept apart from the adapter's own table on purpose: a slip there must not be mirrored here. Facts as
the provider's model pages give them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from relightflow.backends.emulator.catalogue import CatalogueModel
from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.money import micros


def _choice(name: str, *values: str, default: str, required: bool = False) -> Parameter:
    return Parameter(name, values=values, default=default, required=required)


def _light(direction: str, intensity: str, temperature: str, kind: str) -> tuple[Parameter, ...]:
    return (
        _choice(
            "light_direction", "left", "right", "top", "back", default=direction, required=True
        ),
        _choice(
            "light_intensity",
            "mood",
            "bright",
            "medium",
            "strong",
            default=intensity,
            required=True,
        ),
        _choice(
            "light_temperature",
            "warm",
            "cool",
            "neutral",
            "sunset",
            default=temperature,
            required=True,
        ),
        _choice(
            "light_type",
            "softbox",
            "sunlight",
            "spotlight",
            "ambient",
            default=kind,
            required=True,
        ),
    )


def _number(
    name: str, default: float, low: float | None = None, high: float | None = None
) -> Parameter:
    return Parameter(name, kind="number", minimum=low, maximum=high, default=default)


def _whole(
    name: str,
    default: int,
    low: float | None = None,
    high: float | None = None,
    step: int | None = None,
) -> Parameter:
    return Parameter(name, "integer", minimum=low, maximum=high, step=step, default=default)


_V1 = Model(
    name="segmind-relighting",
    parameters=_light("top", "medium", "neutral", "ambient"),
    price=Price(micros("0.05"), micros("0.05")),
    typical_seconds=10.34,
)
_V2 = Model(
    name="segmind-relighting-v2",
    parameters=(
        *_light("back", "strong", "warm", "spotlight"),
        Parameter("size", kind="text", default="auto"),
        Parameter("quality", kind="text", default="high"),
        Parameter("background", kind="text", default="opaque"),
        _whole("output_compression", 100, 0, 100),
        _choice("output_format", "png", "jpeg", "webp", default="png"),
    ),
    price=Price(micros("0.033"), micros("0.333")),
    typical_seconds=70.0,
)
_IC_LIGHT = Model(
    name="ic-light",
    parameters=(
        Parameter("prompt", kind="text", required=True),
        _number("cfg", 2, 1, 32),
        _whole("seed", 42),
        _whole("steps", 25, 1),
        _whole("width", 512, 256, 1024, step=64),
        _whole("height", 640, 256, 1024, step=64),
        _number("highres_scale", 1.5),
        _number("lowres_denoise", 0.9),
        _number("highres_denoise", 0.5),
        Parameter("appended_prompt", kind="text"),
        Parameter("negative_prompt", kind="text"),
        _whole("number_of_images", 1, 1, 16),
        _choice("output_format", "webp", "png", "jpeg", default="webp"),
        _whole("output_quality", 80, 0, 100),
    ),
    price=Price(micros("0.037"), micros("0.037")),
    typical_seconds=31.0,
)
CATALOGUE: Mapping[str, CatalogueModel] = MappingProxyType(
    {
        "segmind-relighting": CatalogueModel(_V1, "image"),
        "segmind-relighting-v2": CatalogueModel(_V2, "image"),
        "ic-light": CatalogueModel(_IC_LIGHT, "subject_image"),
    }
)
