"""What there is to look at after a run: the page or sheet that a sink of the recipe has written."""

from __future__ import annotations

import os
from pathlib import Path

from relightflow.model.recipe import Recipe
from relightflow.plugins.registry import Registry


def looked_at(recipe: Recipe, registry: Registry) -> Path | None:
    """The page before any sheet; None where no sink has written such a file on this machine."""
    found = []
    for spec in recipe.sinks:
        shows, folder = registry.sink(spec.type).shows, spec.options.get("path")
        if not shows or not isinstance(folder, str):
            continue
        fits = sorted(Path(os.path.normpath(recipe.folder.absolute() / folder)).glob(shows))
        found += [("*" in shows, fits[0])] if fits else []
    return min(found, default=(False, None), key=lambda one: one[0])[1]
