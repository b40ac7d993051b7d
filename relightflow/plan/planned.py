"""A plan as it goes into a plan file, and the selection with which it is made again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.money import Micros
from relightflow.model.picks import Pick, Picks
from relightflow.model.plan import Plan, Selection
from relightflow.model.plan_file import (
    PlannedBackend,
    PlannedCell,
    PlannedCounts,
    PlannedImage,
    PlannedLimit,
    PlannedRequest,
    RecipePlan,
)
from relightflow.model.plan_status import PlanStatus
from relightflow.model.recipe import Recipe
from relightflow.plan.job_set import job_set
from relightflow.plan.spelling import spell_all


def recipe_plan(
    plan: Plan, plan_status: PlanStatus, estimate: CostEstimate, request: PlannedRequest
) -> RecipePlan:
    """What a plan file says of `plan`."""
    recipe, several = plan.recipe, bool(plan.recipe.more_backends)
    made = RecipePlan(
        recipe=recipe.name,
        recipe_sha256=recipe.sha256,
        request=request,
        backend="" if several else recipe.backend.type,
        model="" if several else recipe.backend.model.name,
        images=tuple(PlannedImage(i.name, i.sha256, i.size) for i in plan.images),
        rejected=tuple((item.name, item.reason) for item in plan.rejected),
        axes=plan.axes,
        cells=tuple(PlannedCell(cell, recipe.sent(cell)) for cell in plan.cells),
        repeat=plan.repeat,
        picked=plan.picked,
        counts=PlannedCounts(
            outputs=plan.outputs_count,
            jobs=plan_status.jobs,
            new=plan_status.new,
            in_place=plan_status.done,
            shared=plan_status.shared,
            collect=plan_status.collect,
            unknown=plan_status.unknown,
            failed=plan_status.held_failed,
        ),
        call=estimate.call,
        reserved=estimate.reserved,
        limits=tuple(
            PlannedLimit(s.limit.source, s.limit.amount, s.limit.window) for s in estimate.limits
        ),
        unknown_jobs=plan_status.unknown_jobs,
        backends=tuple(
            PlannedBackend(spec.name, *spec.pair, each.calls, each.call, each.reserved)
            for spec, each in zip(recipe.backends, estimate.backends, strict=True)
        )
        if several
        else (),
    )
    return replace(made, jobs_digest=job_set(made).digest)


def price_given(planned: RecipePlan, recipe: Recipe) -> Micros | None:
    """What `--price` was when the plan was made: of the models of `recipe` that have no price of their own."""
    unpriced = {spec.pair for spec in recipe.backends if spec.model.price is None}
    calls = (e.call for e in planned.each_backend if (e.backend, e.model) in unpriced)
    return max((call.high for call in calls if call), default=None)


def planned_selection(planned: RecipePlan, file: str, found: Plan | None) -> Selection:
    """The selection that gives `planned` again. `found`: the recipe's plan without picks, which is only
    needed where the plan has some: what is no longer there cannot be picked."""
    request = planned.request
    if not request.picks_sha256 or found is None:
        return Selection(request.only, request.limit)
    entries = tuple(_picks(planned, found))
    picks = Picks(file, request.picks_sha256, entries, recipe=planned.recipe)
    return Selection(request.only, request.limit, picks)


def _picks(planned: RecipePlan, found: Plan) -> Iterator[Pick]:
    images = {(image.name, image.sha256) for image in found.images}
    cells = {spell_all(cell) for cell in found.cells}
    for image, places in zip(planned.images, planned.picked or (), strict=False):
        for place in places:
            number, repeat = divmod(place, planned.repeat)
            cell = planned.cells[number].cell
            there = (image.name, image.sha256) in images and spell_all(cell) in cells
            if there and repeat < found.repeat:
                yield Pick(cell, image.name, image.sha256, repeat)


def path_in_project(recipe: Path) -> str:
    """The recipe's path from the root of its git repository, else from the current folder, else its
    name alone: the same on every machine."""
    path = Path(os.path.realpath(recipe))
    root = next((folder for folder in path.parents if (folder / ".git").exists()), None)
    for base in (root, Path(os.path.realpath("."))):
        if base is not None and path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return path.name


def find_recipe(path: str, plan_file: Path) -> Path | None:
    """The file that `path_in_project` gave `path` for: seen from the current folder, from one above it
    up to the root of the git repository, or from those of the plan file. None: it is not there.

    `path` is untrusted: a file outside of the folder it is looked for in is not taken.
    """
    for start in (Path.cwd(), Path(os.path.realpath(plan_file)).parent):
        for base in _up_to_root(start):
            found = base / path
            real = Path(os.path.realpath(found))
            if found.is_file() and real.is_relative_to(os.path.realpath(base)):
                return Path(os.path.relpath(found)) if found.is_relative_to(Path.cwd()) else found
    return None


def _up_to_root(start: Path) -> Iterator[Path]:
    root = next((f for f in (start, *start.parents) if (f / ".git").exists()), start)
    yield start
    yield from (folder for folder in start.parents if folder.is_relative_to(root))
