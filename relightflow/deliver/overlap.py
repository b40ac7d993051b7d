"""Whether sinks write the same files: of one recipe, of several in one command, of one that ran before.

They would overwrite each other at every run, and each would call what it finds its own. What a sink
writes is known before anything is made: its record says the fixed names, and the template the others.
Extensions come with the results; a template is taken as if all had the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from relightflow.core.filenames import same_place
from relightflow.deliver.target import SinkTarget
from relightflow.errors import InvalidRecipe, RelightflowError
from relightflow.ledger.reader import Reader
from relightflow.model.plan import Plan
from relightflow.model.recipe import Recipe
from relightflow.plan.names import output_path
from relightflow.plan.outputs import outputs

_EXTENSIONS = ("png", "jpg", "webp")


@dataclass(frozen=True, slots=True)
class PlannedSinks:
    plan: Plan
    targets: Sequence[SinkTarget]

    @property
    def recipe(self) -> Recipe:
        return self.plan.recipe


@dataclass(frozen=True, slots=True)
class OtherRecipe:
    """A recipe that has been run with the same state."""

    recipe: Recipe
    targets: Sequence[SinkTarget]


def check_together(together: Sequence[PlannedSinks]) -> None:
    """Raises InvalidRecipe where two sinks of these recipes would write the same file. Blocks."""
    every = [(one, number) for one in together for number in range(len(one.targets))]
    for later, (other, second) in enumerate(every):
        for one, first in every[:later]:
            file = _shared(one.targets[first], one.plan, other.targets[second], other.plan)
            if file:
                there = f"sinks[{first}]"
                if one is not other:
                    there = f"{one.recipe.path} ({there})"
                raise _refused(other, second, file, f"{there} writes it too, so they")


def check_delivered(
    mine: PlannedSinks,
    together: Sequence[PlannedSinks],
    ledger: Reader,
    open_other: Callable[[Path, Recipe], OtherRecipe],
) -> None:
    """Raises InvalidRecipe where `mine` would write what another recipe has delivered and still writes.

    `together`: the recipes of this command. `open_other`: a recipe that ran before, as it stands now."""
    known = {one.recipe.path.resolve() for one in together}
    ran = [Path(file) for _, file in ledger.recipes() if file]
    for recipe in (path for path in ran if path not in known and path.is_file()):
        try:
            other = open_other(recipe, mine.recipe)
        except (RelightflowError, OSError):
            continue  # it cannot run either
        for target in other.targets:
            held = [row.path for row in ledger.held_by(target.id)]
            for number, own in enumerate(mine.targets) if held else ():
                file = _taken(own, mine.plan, target, other.recipe, held)
                if file:
                    words = (
                        f"{other.recipe.path} has delivered it and writes it at every run, so they"
                    )
                    raise _refused(mine, number, file, words)


def _refused(writer: PlannedSinks, number: int, file: str, why: str) -> InvalidRecipe:
    options = writer.recipe.sinks[number].options if number < len(writer.recipe.sinks) else {}
    field = next((name for name in ("path", "uri") if name in options), "")
    place = f"sinks[{number}]" + (f".{field}" if field else "")
    words = (
        f"writes {file}; {why} would overwrite each other. Use a folder of its own for the sink, such "
        f"as {writer.recipe.name}/ in it"
    )
    return InvalidRecipe([writer.recipe.problem(place, words)])


def _shared(one: SinkTarget, plan: Plan, other: SinkTarget, its_plan: Plan) -> str:
    """A file that both write; empty where there is none."""
    if not _may_share(one, other):
        return ""
    fixed = {same_place(path): path for path in _fixed(one, plan.recipe, plan)}
    for path in _fixed(other, its_plan.recipe, its_plan):
        if same_place(path) in fixed:
            return path
    if one.layout != "files" or other.layout != "files":
        return ""
    written = {same_place(path) for path in _outputs(one, plan, ("png",))}
    return next((p for p in _outputs(other, its_plan, ("png",)) if same_place(p) in written), "")


def _taken(
    own: SinkTarget, plan: Plan, other: SinkTarget, recipe: Recipe, held: Sequence[str]
) -> str:
    if not _may_share(own, other):
        return ""
    same_images = recipe.sources == plan.recipe.sources and recipe.folder == plan.recipe.folder
    theirs = {same_place(p) for p in _fixed(other, recipe, plan if same_images else None)}
    for path in _fixed(own, plan.recipe, plan):
        if same_place(path) in theirs:
            return path
    if own.id == other.id or own.layout != "files":
        return ""  # of what lies there nobody can tell whose it is
    theirs = {same_place(_place(other) + path) for path in held}
    return next((p for p in _outputs(own, plan, _EXTENSIONS) if same_place(p) in theirs), "")


def _may_share(one: SinkTarget, other: SinkTarget) -> bool:
    first, second = same_place(_place(one)), same_place(_place(other))
    return first.startswith(second) or second.startswith(first)


def _place(target: SinkTarget) -> str:
    """The sink's location, links followed, with a slash at its end."""
    location = target.sink.location
    real = location if "://" in location else os.path.realpath(location)
    return f"{real.rstrip('/')}/"


def _fixed(target: SinkTarget, recipe: Recipe, plan: Plan | None) -> Iterator[str]:
    """The files whose names do not depend on results. `plan`: None where the images are not known."""
    for name in target.writes:
        if "{image.stem}" not in name:
            yield _place(target) + name.replace("{recipe}", recipe.name)
        elif plan is not None:
            stems = dict.fromkeys(image.stem for image in plan.described.images)
            yield from (_place(target) + name.replace("{image.stem}", stem) for stem in stems)


def _outputs(target: SinkTarget, plan: Plan, extensions: tuple[str, ...]) -> Iterator[str]:
    place = _place(target)
    for output in outputs(plan.described):
        for extension in extensions:
            yield place + output_path(target.template, output, target.recipe, extension)
