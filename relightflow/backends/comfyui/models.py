"""The workflow that comes with relightflow, and how any declared workflow becomes a model. No network."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from relightflow.backends.comfyui import graph
from relightflow.model.catalog import Model, Parameter
from relightflow.model.values import FrozenMap
from relightflow.plugins.declared import parse, wire

SCHEMA: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
"""A recipe has no options here: neither the server nor the workflow is its to choose."""


def as_model(model: Model) -> Model:
    """A declared model with its workflow's digest among its parameters. It has one value, so it is no
    choice of the recipe's; it makes the results of a changed workflow other jobs.

    Raises ValueError where the graph cannot be filled."""
    if wrong := graph.problems(wire(model), tuple(p.name for p in model.parameters)):
        raise ValueError("; ".join(wrong))
    if model.price is None or not model.price.free:
        raise ValueError("price: must be 0; a server of your own costs nothing")
    value = graph.digest(wire(model))
    version = Parameter(
        graph.VERSION,
        values=(value,),
        default=value,
        summary="Digest of the workflow; always this.",
    )
    return replace(model, parameters=(*model.parameters, version))


def _shipped() -> Model:
    text = (Path(__file__).parent / "ic-light.json").read_text(encoding="utf-8")
    declared, problems = parse(json.loads(text))
    assert declared, problems
    return as_model(declared.model)


MODELS: tuple[Model, ...] = (_shipped(),)
"""The first is the default."""


def disclosed(options: FrozenMap, delivery: str) -> str:  # noqa: ARG001  one way for all
    """What becomes of images, in words that follow 'the images are'."""
    return "uploaded to the input folder of your ComfyUI server, which keeps what it is given"
