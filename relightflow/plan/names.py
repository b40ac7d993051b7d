"""Where an output's file goes inside a sink, and whether two would go to one place.

Names of images and values of parameters are untrusted; every path goes through
`relightflow.core.filenames`. The extension is only known with the image: a name is checked as if
all had the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import PurePosixPath

from relightflow.core.filenames import safe_path, safe_text, same_place
from relightflow.errors import InvalidRecipe, Problem
from relightflow.model.job import Output
from relightflow.model.plan import Plan
from relightflow.model.recipe import Recipe
from relightflow.model.values import Scalar
from relightflow.plan.outputs import outputs
from relightflow.plan.spelling import text
from relightflow.plan.template import DEFAULT, FIELDS, one_place_a_job, parse, template_problems

SHOWN = 5
"""Collisions that are listed; one shows the cause, a million do not show it better."""

_RESERVED = frozenset({"manifest.jsonl"})
"""Files of our own at a sink's top."""


def output_path(template: str | None, output: Output, recipe_name: str, ext: str) -> str:
    """The path for `output`, relative, with `/`, safe. None: the default, which never collides.

    `ext` has no dot. `template` has no problems (`template_problems`); a field that this cell does
    not have takes the value that was sent, else `_`.
    """
    built = []
    for piece in parse(DEFAULT if template is None else template):
        field = piece.field
        built.append(piece.text)
        if field in _OF_OUTPUT:
            built.append(_OF_OUTPUT[field](output))
        elif field == "ext":
            built.append(_clean(ext))
        elif field == "recipe":
            built.append(_clean(recipe_name))
        elif field is not None:
            values = output.cell if field in output.cell else output.job.parameters
            built.append(_axis(values.get(field, "")))
    path = safe_path("".join(built))
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


_OF_OUTPUT: dict[str | None, Callable[[Output], str]] = {
    "image.name": lambda output: output.image.name,  # only this one may bring folders
    "image.stem": lambda output: _stem(output.image.name),
    "key": lambda output: output.job.id,
    "repeat": lambda output: str(output.job.repeat),
    "index": lambda output: str(output.index),
}


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
    known = (*axes, *(parameter.name for parameter in recipe.backend.model.parameters))
    problems = [
        recipe.problem(f"sinks[{sink}].name", words)
        for sink, template in templates
        if template is not None
        for words in template_problems(template, known)
    ]
    if problems:
        raise InvalidRecipe(problems)


def _collisions(plan: Plan, template: str) -> list[str]:
    """The first collisions, in words. Eight bytes an output: hashes find suspects, a second pass
    over the plan convicts."""
    hashes = array("q", (hash(place) for place, _ in _places(plan, template)))
    suspects = {one for one, other in pairwise(sorted(hashes)) if one == other}
    if not suspects:
        return []
    messages: list[str] = []
    first: dict[str, tuple[str, int]] = {}
    for place, output in _places(plan, template):
        if hash(place) not in suspects:
            continue
        key, index = first.setdefault(place, (output.job.key, output.index))
        if key != output.job.key:
            earlier = next(islice(outputs(plan), index, None))
            messages.append(_collision(plan, template, earlier, output))
            if len(messages) == SHOWN:
                break
    return messages


def _places(plan: Plan, template: str) -> Iterator[tuple[str, Output]]:
    for output in outputs(plan):
        yield same_place(output_path(template, output, plan.recipe.name, "png")), output


def _collision(plan: Plan, template: str, one: Output, other: Output) -> str:
    paths = [output_path(template, output, plan.recipe.name, "png") for output in (one, other)]
    same = "" if paths[0] == paths[1] else f" ('{paths[1]}', the same file on many systems)"
    missing = _missing(template, one, other)
    return (
        f"'{paths[0]}' is the name of both {_item(one)} and {_item(other)}{same}; "
        f"add {{{missing}}} to the name"
    )


def _item(output: Output) -> str:
    values = ", ".join(f"{name} {text(value)!r}" for name, value in output.cell.items())
    return f"{output.image.name!r} ({values or 'no axis'}, repeat {output.job.repeat})"


def _missing(template: str, one: Output, other: Output) -> str:
    """The field that tells the two apart; `key` always does."""
    used = {piece.field for piece in parse(template)}
    axes = [n for n in {**one.cell, **other.cell} if n not in FIELDS]
    for name in axes:
        if name not in used and one.cell.get(name) != other.cell.get(name):
            return name
    if one.image.name != other.image.name and not used & {"image.name"}:
        return "image.name" if "image.stem" in used else "image.stem"
    if one.job.repeat != other.job.repeat and "repeat" not in used:
        return "repeat"
    return "key"
