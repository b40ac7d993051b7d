"""Runware's relighting models, one row each. Imports no network library.

Sources: the provider's model page (shape of a task, price class) and its Python SDK 0.5.24 (names of the
settings); docs/reference/runware.md says what nobody has checked against the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relightflow.backends import bria
from relightflow.model.catalog import Model, Price
from relightflow.model.money import micros
from relightflow.model.values import FrozenMap


@dataclass(frozen=True, slots=True)
class _ModelRow:
    """A model and how a cell becomes its part of a task."""

    model: Model
    settings: Mapping[str, str]
    """Parameter → name under `providerSettings.bria`."""
    fixed: Mapping[str, Any]
    """What is always sent there."""


_FIBO = Model(
    name="bria:21@2",
    parameters=bria.parameters(),
    light=bria.light(),
    price=Price(micros("0.04"), micros("0.04")),
    typical_seconds=15.0,
    summary="Bria's FIBO edit tools: relights a photograph, trained on licensed data",
)  # fmt: skip

_TABLE = (
    _ModelRow(
        _FIBO, {"light_direction": "lightDirection", "light_type": "lightType"}, {"edit": "relight"}
    ),
)
MODELS: tuple[Model, ...] = tuple(row.model for row in _TABLE)
"""The first is the default."""


def task(model: str, parameters: FrozenMap, image: str, uuid: str) -> dict[str, Any]:
    """The task of a call; `image` is a data URI, `uuid` our name for it. Raises KeyError for a model
    that is not in the table."""
    row = {row.model.name: row for row in _TABLE}[model]
    sent = {row.settings[name]: value for name, value in sorted(parameters.items())}
    return {
        "taskType": "imageInference",
        "taskUUID": uuid,
        "model": model,
        "inputs": {"image": image},
        "providerSettings": {"bria": {**row.fixed, **sent}},
        "outputType": "URL",
        "outputFormat": "PNG",
        "includeCost": True,
        "deliveryMethod": "async",
    }


def disclosed(_options: FrozenMap, _delivery: str) -> str:
    """What becomes of images, in words that follow 'the images are'."""
    return "sent to Runware inside each request; results get an address that anybody who knows it can open"
