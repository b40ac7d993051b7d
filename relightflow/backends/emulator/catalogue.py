"""Models that an emulated provider offers, and what it says to a request for one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from relightflow.errors import UsageError
from relightflow.model.catalog import Model
from relightflow.model.money import Micros
from relightflow.plugins.declared import parse, wire


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model, and the name of the field that carries the input image."""

    model: Model
    image_field: str

    @property
    def seconds(self) -> float:
        return self.model.typical_seconds or 1.0

    def cost(self, rng: Random, prices: Mapping[str, Micros]) -> Micros:
        """What one call is charged: `prices` first, else a draw from the model's range."""
        if self.model.name in prices:
            return prices[self.model.name]
        price = self.model.price
        assert price is not None
        return price.low if price.low == price.high else rng.randint(price.low, price.high)


def declared(files: Iterable[Path]) -> dict[str, CatalogueModel]:
    """The models of files that `relightflow models add` takes, in JSON. Raises UsageError."""
    found = {}
    for path in files:
        try:
            given = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"--model {path} cannot be read: {error}") from None
        model, problems = parse(given)
        if model is None:
            raise UsageError(f"--model {path}: {'; '.join(problems)}")
        found[model.model.name] = CatalogueModel(model.model, str(wire(model.model)["image"]))
    return found


def missing(entry: CatalogueModel, body: Mapping[str, Any]) -> str | None:
    """The first required field that `body` lacks."""
    if not body.get(entry.image_field):
        return entry.image_field
    return next((p.name for p in entry.model.parameters if p.required and p.name not in body), None)


def refused(entry: CatalogueModel, body: Mapping[str, Any]) -> str | None:
    """Why a value in `body` is not accepted, in words. Fields it does not know are let pass."""
    if not isinstance(body[entry.image_field], str):
        return f"Invalid value for '{entry.image_field}': must be a uri"
    for parameter in entry.model.parameters:
        if parameter.name in body and body[parameter.name] is not None:
            problem = parameter.problem(body[parameter.name])
            if problem:
                return f"Invalid value for '{parameter.name}': {body[parameter.name]!r} {problem}"
    return None
