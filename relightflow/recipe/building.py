"""A checked tree becomes the frozen `Recipe`; here the dictionaries of YAML end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from relightflow.model.check import CheckSpec
from relightflow.model.money import micros
from relightflow.model.recipe import (
    BackendLimits,
    BackendSpec,
    Limits,
    Matrix,
    Position,
    Rate,
    Recipe,
    Sample,
    SinkSpec,
    SourceSpec,
)
from relightflow.model.spending import allowance
from relightflow.model.values import FrozenMap
from relightflow.recipe.core import BACKEND_ENTRY
from relightflow.recipe.findings import spelled
from relightflow.recipe.parts import ChosenBackend
from relightflow.recipe.tree import Branch, Fields, Node, Step, value

_WINDOW = {"s": 1, "m": 60, "h": 3600}
_RATE = re.compile(r"(\d+)/(\d*)([smh])", re.ASCII)
_DEEP = 3
"""Steps of a path whose place is kept."""


def build(
    tree: Node,
    path: Path,
    sha256: str,
    chosen: Sequence[ChosenBackend],
    matrix: Matrix,
    checks: tuple[CheckSpec, ...] = (),
) -> Recipe:
    """`tree` holds no problem: every field has the type that the schema says."""
    data: dict[str, Any] = value(tree)
    first, *others = _backends(data.get("backend", {}), chosen)
    return Recipe(
        name=data["name"],
        path=path,
        sha256=sha256,
        sources=tuple(SourceSpec(s["type"], _without(s, "type")) for s in data["sources"]),
        backend=first,
        more_backends=tuple(others),
        matrix=matrix,
        sample=Sample(**data.get("sample", {})),
        repeat=data.get("repeat", 1),
        limits=_limits(data.get("limits", {})),
        sinks=tuple(SinkSpec(s["type"], _without(s, "type")) for s in data["sinks"]),
        checks=checks,
        positions=FrozenMap(dict(_positions(tree, ()))),
    )


def _backends(
    data: Mapping[str, Any] | Sequence[Mapping[str, Any]], chosen: Sequence[ChosenBackend]
) -> Iterator[BackendSpec]:
    """A list with one entry is what the entry alone would be."""
    if isinstance(data, Mapping):
        (only,) = chosen
        yield BackendSpec(only.record.name, only.model, _without(data, "type", "model"))
        return
    for place, (entry, found) in enumerate(zip(data, chosen, strict=True)):
        given = dict(entry.get("limits", {}))
        if "rate" in given:
            given["rate"] = rate(given["rate"])
        if "max_cost" in given:
            given["max_cost"] = micros(given["max_cost"])
        options = _without(entry, "type", "model", *BACKEND_ENTRY)
        label = found.label if len(chosen) > 1 else ""
        limits = BackendLimits(**given)
        yield BackendSpec(found.record.name, found.model, options, label, limits, place)


def rate(text: str) -> Rate:
    """`50/1m` → 50 calls in any 60 seconds. Raises ValueError for anything else."""
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a rate")
    calls, count, unit = found.groups()
    return Rate(int(calls), float(int(count or 1) * _WINDOW[unit]))


def _limits(data: Mapping[str, Any]) -> Limits:
    given = dict(data)
    if "rate" in given:
        given["rate"] = rate(given["rate"])
    if "max_cost" in given:
        given["max_cost"] = micros(given["max_cost"])
    if "budget" in given:
        given["budget"] = allowance(given["budget"])
    return Limits(**given)


def _without(data: Mapping[str, Any], *names: str) -> FrozenMap:
    return FrozenMap({key: item for key, item in data.items() if key not in names})


def _positions(node: Node, steps: tuple[Step, ...]) -> Iterator[tuple[str, Position]]:
    if len(steps) == _DEEP:
        return
    children: list[tuple[Step, Position, Node]] = []
    if isinstance(node, Fields):
        children = [(key, node.keys[key], item) for key, item in node.items.items()]
    elif isinstance(node, Branch):
        children = [(index, item.position, item) for index, item in enumerate(node.items)]
    for step, at, child in children:
        below = (*steps, step)
        yield spelled(below), at
        yield from _positions(child, below)
