"""What the preview offers: one free model with the four parameters of Segmind's relighting."""

from __future__ import annotations

from relightflow.model.catalog import FREE, Model, Parameter

_DIRECTION = Parameter(
    "light_direction",
    values=("left", "right", "top", "back"),
    default="top",
    summary="Where the light comes from; back makes a bright rim around the subject.",
)
_INTENSITY = Parameter(
    "light_intensity",
    values=("mood", "bright", "medium", "strong"),
    default="medium",
    summary="Exposure and contrast: mood is low-key, bright is high-key, strong is hard and "
    "bright.",
)
_TEMPERATURE = Parameter(
    "light_temperature",
    values=("warm", "cool", "neutral", "sunset"),
    default="neutral",
    summary="The light's white point; sunset is a low sun with a bluish fill.",
)
_TYPE = Parameter(
    "light_type",
    values=("softbox", "sunlight", "spotlight", "ambient"),
    default="ambient",
    summary="Hardness and falloff: softbox is broad, sunlight hard, spotlight a cone, "
    "ambient flat.",
)

MODEL = Model(
    name="preview",
    parameters=(_DIRECTION, _INTENSITY, _TEMPERATURE, _TYPE),
    price=FREE,
    typical_seconds=0.2,
    summary="A draft by classical image processing, made locally.",
)
