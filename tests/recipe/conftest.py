"""A registry of records alone, shaped like the built-ins: what a recipe is checked against."""

from __future__ import annotations

from typing import Any

import pytest

from relightflow.model.catalog import FREE, Model, Parameter, Price
from relightflow.plugins.records import BackendRecord, SinkRecord, SourceRecord
from relightflow.plugins.registry import Loaded, Registry

TEXTS = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
LIGHT = (
    Parameter("light_direction", values=("left", "right", "top", "back"), default="top"),
    Parameter("light_intensity", values=("mood", "bright", "medium", "strong"), default="medium"),
    Parameter("light_temperature", values=("warm", "cool", "neutral", "sunset"), default="neutral"),
    Parameter(
        "light_type", values=("softbox", "sunlight", "spotlight", "ambient"), default="ambient"
    ),
)
IC_LIGHT = (
    Parameter("prompt", kind="text", required=True),
    Parameter("cfg", kind="number", minimum=1, maximum=32, default=2),
    Parameter("width", kind="integer", minimum=256, maximum=1024, step=64, default=512),
    Parameter("output_format", values=("png", "jpeg", "webp"), default="webp"),
)


def never(_context: Any) -> Any:
    raise AssertionError("reading a recipe creates nothing")


def options(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


SOURCES = (
    SourceRecord("glob", "Files", never, options(("include",), include=TEXTS, exclude=TEXTS)),
    SourceRecord(
        "urls",
        "Addresses",
        never,
        {
            **options(urls=TEXTS, file={"type": "string"}, column={"type": "string"}),
            "anyOf": [{"required": ["urls"]}, {"required": ["file"]}],
        },
    ),
)
BACKENDS = (
    BackendRecord("preview", "A draft", (Model("preview", LIGHT, FREE),), never),
    BackendRecord(
        "segmind",
        "The real thing",
        (
            Model("segmind-relighting", LIGHT, Price(50_000, 50_000)),
            Model("ic-light", IC_LIGHT, Price(37_000, 37_000)),
        ),
        never,
        options(api={"enum": ["auto", "v2", "v1"], "default": "auto"}),
    ),
)
SINKS = (
    SinkRecord("directory", "Files", never, options(("path",), path={"type": "string"})),
    SinkRecord(
        "contact-sheet",
        "An image",
        never,
        options(("path",), path={"type": "string"}, width={"type": "integer", "minimum": 64}),
        layout="aggregate",
    ),
)


def make_registry() -> Registry:
    return Registry(
        sources={r.name: Loaded(r, "relightflow") for r in SOURCES},
        backends={r.name: Loaded(r, "relightflow") for r in BACKENDS},
        sinks={r.name: Loaded(r, "relightflow") for r in SINKS},
        plugins=("relightflow",),
    )


@pytest.fixture(scope="session")
def registry() -> Registry:
    return make_registry()
