"""Fills a workflow with a job's image and parameters. Pure.

A workflow is a graph in ComfyUI's API format: node → {class_type, inputs}. A place in it is written
`node.input`. It is the operator's: a recipe gives values for the places that a declaration names, and can
reach no others.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from typing import Any

from relightflow.model.values import Parameters, canonical_json

VERSION = "workflow"
"""The parameter that carries a workflow's digest, so that results of another graph are other jobs."""


def digest(wire: Mapping[str, Any]) -> str:
    """12 hex digits over the graph and the places where things go in."""
    return hashlib.sha256(canonical_json(wire).encode()).hexdigest()[:12]


def problems(wire: Mapping[str, Any], parameters: tuple[str, ...]) -> list[str]:
    """What is wrong with a declaration's graph and places; none where it can be filled."""
    graph = wire.get("workflow")
    if not isinstance(graph, dict) or not graph or not all(map(_is_node, graph.values())):
        return [
            "workflow: must be a graph in API format (in ComfyUI: Workflow, Export (API)), "
            "node → {class_type, inputs}"
        ]
    found = []
    if wire.get("output") not in graph:
        found.append("output: must name the node that saves the result")
    if not _place(graph, wire.get("image")):
        found.append("image: must name the place of the input image, such as 12.image")
    inputs = wire.get("inputs", {})
    if not isinstance(inputs, dict):
        return [*found, "inputs: must map parameters to places"]
    found += [
        f"inputs.{name}: must name a place in the workflow, such as 6.text"
        for name in parameters
        if not _place(graph, _at(inputs.get(name)))
    ]
    found += [
        f"inputs.{name}: no parameter has this name" for name in inputs if name not in parameters
    ]
    return found


def filled(wire: Mapping[str, Any], parameters: Parameters, image: str) -> dict[str, Any]:
    """The graph of one job. `image`: how the server calls the uploaded input."""
    graph: dict[str, Any] = copy.deepcopy(dict(wire["workflow"]))
    _put(graph, wire["image"], image)
    for name, goes in wire.get("inputs", {}).items():
        value = parameters.get(name)
        if value is None:
            continue
        words = goes.get("values", {}) if isinstance(goes, dict) else {}
        _put(graph, _at(goes), words.get(value, value) if isinstance(value, str) else value)
    return graph


def _is_node(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("inputs"), dict) and "class_type" in node


def _at(goes: Any) -> Any:
    return goes.get("at") if isinstance(goes, dict) else goes


def _place(graph: Mapping[str, Any], place: Any) -> bool:
    if not isinstance(place, str):
        return False
    node, _, name = place.partition(".")
    return bool(name) and node in graph


def _put(graph: dict[str, Any], place: str, value: Any) -> None:
    node, _, name = place.partition(".")
    graph[node]["inputs"][name] = value
