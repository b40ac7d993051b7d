"""Where an output's file goes inside a sink, and whether two would go to one place.

Names of images and values of parameters are untrusted; every path goes through
`relightflow.core.filenames`. The extension is only known with the image: a name is checked as if
all had the same.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePosixPath

from relightflow.core.filenames import safe_path, safe_text, same_place
from relightflow.errors import InvalidRecipe, Problem
from relightflow.model.job import Output
from relightflow.model.plan import Plan
from relightflow.model.recipe import BACKEND, Recipe
from relightflow.model.values import Scalar
from relightflow.plan.outputs import outputs
from relightflow.plan.spelling import text
from relightflow.plan.template import DEFAULT, FIELDS, one_place_a_job, parse, template_problems

_SHOWN = 5
"""Collisions that are listed; one shows the cause, a million do not show it better."""

_TRIED = 100_000
"""Outputs of a plan up to which several names are tried, each in a pass over the plan."""
_EXTENSION = re.compile(r"\.(?:\{ext\}|[A-Za-z0-9]{1,5})$")

_NO_AXES = frozenset(FIELDS) - {BACKEND}
"""An axis that is called so cannot be written into a name; `backend` can."""
_RESERVED = frozenset({"manifest.jsonl"})
"""Files of our own at a sink's top."""


def output_path(template: str | None, output: Output, recipe_name: str, ext: str) -> str:
    """The path for `output`, relative, with `/`, safe. None: the default, which never collides.

    `ext` has no dot. `template` has no problems (`template_problems`); a field that this cell does
    not have takes the value that was sent, else `_`.
    """
    pieces = _pieces(DEFAULT if template is None else template)
    path = safe_path("".join([text + value(output, recipe_name, ext) for text, value in pieces]))
    return f"_{path}" if same_place(path) in _RESERVED else path


@lru_cache(maxsize=8192)
def _clean(value: str) -> str:
    return safe_text(value)


@lru_cache(maxsize=8192)
def _stem(name: str) -> str:
    return safe_text(PurePosixPath(name).stem)


@lru_cache(maxsize=8192, typed=True)  # typed: for Python, True and 1.0 are keys like 1
def _axis(value: Scalar) -> str:
    return safe_text(text(value))


_Value = Callable[[Output, str, str], str]
"""What stands for a field: of an output, the recipe's name and the extension."""


def _backend(output: Output, recipe: str, ext: str) -> str:
    if BACKEND in output.cell or BACKEND in output.job.parameters:
        return _of_axis(BACKEND)(output, recipe, ext)
    return _clean(output.job.backend)


def _of_axis(name: str) -> _Value:
    def value(output: Output, _recipe: str, _ext: str) -> str:
        values = output.cell if name in output.cell else output.job.parameters
        return _axis(values.get(name, ""))

    return value


_VALUES: dict[str | None, _Value] = {
    None: lambda _output, _recipe, _ext: "",
    # the next two may contain folders
    "image.name": lambda output, _recipe, _ext: output.image.name,
    "image.folder": lambda output, _recipe, _ext: output.image.name.rpartition("/")[0],
    "image.stem": lambda output, _recipe, _ext: _stem(output.image.name),
    "key": lambda output, _recipe, _ext: output.job.id,
    "repeat": lambda output, _recipe, _ext: str(output.repeat),
    "index": lambda output, _recipe, _ext: str(output.index),
    "recipe": lambda _output, recipe, _ext: _clean(recipe),
    "ext": lambda _output, _recipe, ext: _clean(ext),
    BACKEND: _backend,
}


@lru_cache(maxsize=64)
def _pieces(template: str) -> tuple[tuple[str, _Value], ...]:
    """A template as texts, each with what gives the value after it."""
    return tuple(
        (piece.text, _VALUES.get(piece.field) or _of_axis(piece.field or ""))
        for piece in parse(template)
    )


def check_names(plan: Plan, templates: Iterable[tuple[int, str | None]]) -> None:
    """Raises InvalidRecipe where a sink would write two different jobs to one place.

    `templates`: index of the sink in the recipe, and its `name`. Equal by case or Unicode form is
    equal. The same job twice in one place is no collision: its bytes are delivered once.
    """
    written = [(sink, template) for sink, template in templates if template is not None]
    check_fields(plan.recipe, plan.axes, written)
    problems: list[Problem] = []
    for sink, template in written:
        if not one_place_a_job(template):
            wrong = _collisions(plan, template)
            problems += (plan.recipe.problem(f"sinks[{sink}].name", words) for words in wrong)
    if problems:
        raise InvalidRecipe(problems)


def check_fields(
    recipe: Recipe, axes: Iterable[str], templates: Iterable[tuple[int, str | None]]
) -> None:
    """Raises InvalidRecipe where a `name` is wrong whatever images there are; see `check_names`."""
    models = [spec.model for spec in recipe.backends]
    known = (*axes, *(parameter.name for model in models for parameter in model.parameters))
    problems = [
        recipe.problem(f"sinks[{sink}].name", words)
        for sink, template in templates
        if template is not None
        for words in template_problems(template, known)
    ]
    if problems:
        raise InvalidRecipe(problems)


def _collisions(plan: Plan, template: str) -> list[str]:
    """The first collisions, in words."""
    suspects = _suspects(plan, template)
    pairs: list[tuple[Output, Output]] = []
    first: dict[str, Output] = {}
    for place, output in _places(plan, template) if suspects else ():
        if hash(place) in suspects:
            earlier = first.setdefault(place, output)
            if earlier.job.key != output.job.key:
                pairs.append((earlier, output))
                if len(pairs) == _SHOWN:
                    break
    if not pairs:
        return []
    hint = _hint(plan, template, *pairs[0])
    return [f"{_collision(plan, template, one, other)}; {hint}" for one, other in pairs]


def _suspects(plan: Plan, template: str) -> set[int]:
    """Hashes that several outputs have; eight bytes an output."""
    hashes = array("q", (hash(place) for place, _ in _places(plan, template)))
    return {one for one, other in pairwise(sorted(hashes)) if one == other}


def _places(plan: Plan, template: str) -> Iterator[tuple[str, Output]]:
    for output in outputs(plan):
        yield same_place(output_path(template, output, plan.recipe.name, "png")), output


def _collision(plan: Plan, template: str, one: Output, other: Output) -> str:
    paths = [output_path(template, output, plan.recipe.name, "png") for output in (one, other)]
    same = "" if paths[0] == paths[1] else f" ('{paths[1]}', the same file on many systems)"
    return f"'{paths[0]}' is the name of both {_item(one)} and {_item(other)}{same}"


def _item(output: Output) -> str:
    values = ", ".join(f"{name} {text(value)!r}" for name, value in output.cell.items())
    return f"{output.image.name!r} ({values or 'no axis'}, repeat {output.repeat})"


def _hint(plan: Plan, template: str, one: Output, other: Output) -> str:
    """Which fields to add to the name, so that nothing in the whole plan collides any more."""
    for fields in _candidates(template, one, other):
        better = _with(template, fields)
        if plan.outputs_count > _TRIED and fields != ["key"]:
            continue
        if one_place_a_job(better) or not _collides(plan, better):
            added = " and ".join(f"{{{field}}}" for field in fields)
            return f"add {added} to the name: '{better}'"
    return f"use the default name: '{DEFAULT}'"


def _collides(plan: Plan, template: str) -> bool:
    suspects = _suspects(plan, template)
    first: dict[str, str] = {}
    return any(
        first.setdefault(place, output.job.key) != output.job.key
        for place, output in (_places(plan, template) if suspects else ())
        if hash(place) in suspects
    )


def _candidates(template: str, one: Output, other: Output) -> Iterator[list[str]]:
    """Fields that may tell the outputs apart, the plainest first; `key` always does."""
    used = {piece.field for piece in parse(template)}
    differ = [
        name
        for name in {**one.cell, **other.cell}
        if name not in used and name not in _NO_AXES and one.cell.get(name) != other.cell.get(name)
    ]
    if one.repeat != other.repeat and "repeat" not in used:
        differ.append("repeat")
    axes = [name for name in {**one.cell, **other.cell} if name not in used | _NO_AXES]
    again = ["repeat"] if "repeat" not in used else []
    images = [["image.stem"]] if not used & {"image.stem", "image.name"} else []
    images += [["image.folder"]] if "image.stem" in used - {"image.folder"} else []
    images += [["image.name"]] if "image.name" not in used else []
    yield from ([name] for name in differ)
    yield from images
    for image in ([], *images):
        yield from (found for found in ([*image, *axes], [*image, *axes, *again]) if found)
    yield ["key"]


def _with(template: str, fields: list[str]) -> str:
    """`template` with more fields: folders before it, the others before its extension."""
    end = _EXTENSION.search(template)
    at = end.start() if end else len(template)
    folders = "".join(f"{{{name}}}/" for name in fields if name in ("image.folder", "image.name"))
    rest = "".join(f"-{{{name}}}" for name in fields if name not in ("image.folder", "image.name"))
    return f"{folders}{template[:at]}{rest}{template[at:]}"
