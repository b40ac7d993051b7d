"""A recipe file becomes a `Recipe`, or one InvalidRecipe with everything that is wrong.

bytes ─text→ str ─reading→ tree ─overrides→ tree ─parts, matrix→ findings ─building→ Recipe
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from relightflow.errors import InvalidRecipe
from relightflow.model.recipe import Recipe
from relightflow.plugins.registry import Registry, with_project
from relightflow.recipe.building import build
from relightflow.recipe.checks import read_checks
from relightflow.recipe.findings import Findings
from relightflow.recipe.fitting import read_fitting
from relightflow.recipe.overrides import override
from relightflow.recipe.parts import (
    check_backends,
    check_core,
    check_entries,
    is_foreign,
    without_annotations,
)
from relightflow.recipe.picks import read_picks_inside
from relightflow.recipe.reading import read
from relightflow.recipe.text import decode, read_bytes
from relightflow.recipe.tree import Leaf, find
from relightflow.recipe.wording import printable
from relightflow.store.state_dir import declared_models


def load(path: Path, registry: Registry, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in the file `path`, as `overrides` (`limits.concurrency=4`, …) change it.

    Raises InvalidRecipe with every problem at once, in the file's order; an unreadable file is a
    problem too. `Recipe.sha256` is the file's own, whatever the overrides say.
    """
    return load_text(read_bytes(path), registry, path, overrides)


def load_text(
    text: str | bytes,
    registry: Registry,
    path: Path = Path("recipe.yaml"),
    overrides: Sequence[str] = (),
) -> Recipe:
    """The same from text that is at hand. `path` names it: in its folder paths begin, and from there the
    project is found whose declared models it may use. Raises UsageError and RefusedError for these."""
    if folder := declared_models(path, registry.state, os.environ):
        registry = with_project(registry, folder)
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    file = printable(str(path))
    tree, flaws = read(decode(data, file), file)
    tree, misset = override(tree, overrides)
    findings = Findings(tree, [*flaws, *misset], path.parent)
    if is_foreign(findings):
        findings.settle()
    check_core(findings)
    check_entries(findings, "sources", registry.sources)
    chosen = check_backends(findings, registry)
    fitted = read_fitting(findings, chosen or ())
    check_entries(findings, "sinks", registry.sinks)
    checks = read_checks(findings, registry)
    findings.settle()
    assert chosen is not None  # or a problem had been found
    tree = without_annotations(tree, registry)
    recipe = build(tree, path, hashlib.sha256(data).hexdigest(), chosen, fitted.matrix, checks)
    said = (str(recipe.problem(*warning)) for warning in fitted.warnings)
    recipe = replace(recipe, warnings=(*recipe.warnings, *said))
    named = find(tree, ("picks",))
    return _with_picks(recipe, str(named.value)) if isinstance(named, Leaf) else recipe


def _with_picks(recipe: Recipe, path: str) -> Recipe:
    """`recipe` with the picks that it names. Raises InvalidRecipe at the place that names them."""
    try:
        return replace(recipe, picks=read_picks_inside(recipe.folder, path))
    except InvalidRecipe as error:
        if any(problem.path or problem.line for problem in error.problems):
            raise  # in the picks file itself
        raise InvalidRecipe(
            recipe.problem("picks", f"{p.file} {p.message}") for p in error.problems
        ) from None
