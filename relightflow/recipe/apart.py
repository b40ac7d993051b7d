"""Drafts and rehearsals go to folders of their own, so that they never stand where results stand.

`out/` becomes `out/preview/`, `out/sheets` becomes `out/preview/sheets`. A store is written to only
where the command line names the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from relightflow.model.recipe import BACKEND, BackendSpec, Matrix, Recipe, SinkSpec
from relightflow.model.values import FrozenMap, Parameters
from relightflow.plugins.registry import Registry


def apart(
    recipe: Recipe, name: str, what: str, overrides: Sequence[str], shared: Callable[[str], bool]
) -> Recipe:
    """`recipe` with its sinks below a folder called `name`.

    `what`: whose results these are, for people, as `results of 'preview'`. `overrides`: as `--set`; a
    place that is named there stays. `shared`: whether a sink of that type bears other files below its
    folder; one that does not gets a folder beside its own.
    """
    set_ = [override.partition("=")[0].strip() for override in overrides]
    sinks: list[SinkSpec] = []
    warnings: list[str] = []
    for number, spec in enumerate(recipe.sinks):
        path, here = spec.options.get("path"), f"sinks[{number}]"
        if {"sinks", here, f"{here}.path"} & {*set_}:
            sinks.append(spec)
        elif isinstance(path, str):
            below = _below(path, name) if shared(spec.type) else _beside(path, name)
            sinks.append(replace(spec, options=FrozenMap({**spec.options, "path": below})))
        elif any(key.startswith(here) for key in set_):
            sinks.append(spec)
        else:
            field = next(iter(_places(spec)), "uri")
            words = (
                f"{spec.type} is left out: {what} are written to a store only if asked, with "
                f"--set '{here}.{field}=…'"
            )
            warnings.append(str(recipe.problem(here, words)))
    return replace(
        recipe,
        sinks=tuple(sinks),
        written_sinks=recipe.written_sinks or recipe.sinks,
        warnings=(*recipe.warnings, *warnings),
    )


def with_backend(recipe: Recipe, name: str, registry: Registry) -> Recipe:
    """`recipe` as the backend `name` alone makes it: one of its own by its label, else by its type, or any
    other with its default model. Raises UsageError for a backend that there is not."""
    own = [spec for spec in recipe.backends if spec.name == name] or [
        spec for spec in recipe.backends if spec.type == name
    ]
    default = None if own else BackendSpec(name, registry.backend(name).models[0], FrozenMap())
    spec = default or own[0]
    matrix = recipe.matrix
    if recipe.more_backends:
        matrix = of_backend(matrix, spec.name if own else "")
    return replace(recipe, backend=replace(spec, label=""), more_backends=(), matrix=matrix)


def of_backend(matrix: Matrix, label: str) -> Matrix:
    """What is left of a matrix of several backends for one of them. `label`: its value of the axis
    `backend`; empty: it has none."""

    def own(cells: Iterable[Parameters]) -> tuple[Parameters, ...]:
        mine = (cell for cell in cells if cell.get(BACKEND, label) == label)
        bare = (FrozenMap({k: v for k, v in cell.items() if k != BACKEND}) for cell in mine)
        return tuple(cell for cell in bare if cell)

    axes = tuple(axis for axis in matrix.axes if axis.name != BACKEND)
    return Matrix(axes, own(matrix.exclude), own(matrix.include))


def _places(spec: SinkSpec) -> Iterator[str]:
    """Options that say where a sink writes to."""
    return (name for name, value in spec.options.items() if "://" in str(value))


def _split(path: str) -> tuple[list[str], list[str]]:
    """The steps out of the recipe's folder, and those into another."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    out = next((n for n, part in enumerate(parts) if part != ".."), len(parts))
    return parts[:out], parts[out:]


def _below(path: str, name: str) -> str:
    out, into = _split(path)
    return "/".join((*out, *into[:1], name, *into[1:]))


def _beside(path: str, name: str) -> str:
    out, into = _split(path)
    if len(into) > 1:
        return _below(path, name)
    return "/".join((*out, f"{into[0]}-{name}" if into else name))
