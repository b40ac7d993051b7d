"""Recipe + images → Plan.

Everything is counted before it is built, so that a recipe that asks for too much is refused in
milliseconds and in constant memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from relightflow.errors import InvalidRecipe
from relightflow.model.image import Image, Rejected
from relightflow.model.picks import Picks
from relightflow.model.plan import Plan, Selection
from relightflow.model.recipe import Recipe
from relightflow.model.values import Parameters
from relightflow.plan.distinct import count_jobs, repeated_cells
from relightflow.plan.grid import Tangled
from relightflow.plan.matrix import Cells
from relightflow.plan.outputs import firsts
from relightflow.plan.picked import choose, find_picks
from relightflow.plan.price import price
from relightflow.plan.sample import sampled, sampled_count
from relightflow.plan.select import check_only, only_cells, only_images


@dataclass(frozen=True, slots=True)
class Expanded:
    """A recipe's cells, before any image is known."""

    cells: Sequence[Parameters]
    axes: tuple[str, ...]
    warnings: tuple[str, ...]
    """The recipe's own, then those about its matrix."""


def expand(recipe: Recipe) -> Expanded:
    """The recipe's cells, sampled. What `validate` needs to know without looking for images.

    Raises InvalidRecipe where no cell is left or one image alone has more than `limits.max_jobs`.
    """
    try:
        matrix = Cells(recipe.matrix)
        _check_count(recipe, 1, sampled_count(matrix, recipe.sample))
        cells = sampled(matrix, recipe.sample, recipe.limits.max_jobs // recipe.repeat)
    except Tangled:
        raise _invalid(
            recipe,
            "matrix.exclude",
            "its entries overlap too much for the remaining cells to be counted; use fewer "
            "entries, or list the cells with 'include' only",
        ) from None
    _check_count(recipe, 1, len(cells))
    if not cells:
        raise _invalid(
            recipe,
            "matrix",
            "no cell is left: 'exclude' removes every combination; remove one of its entries",
        )
    said = (str(recipe.problem(path, message)) for path, message in matrix.warnings)
    return Expanded(cells, matrix.names, (*recipe.warnings, *said))


def build(
    recipe: Recipe, found: Iterable[Image | Rejected], selection: Selection | None = None
) -> Plan:
    """The plan for the images that were `found`, in their order.

    `limits.max_jobs` counts the recipe as it stands; a selection does not make it smaller. Raises
    InvalidRecipe (see `expand`, and images × cells × repeat over `max_jobs`) and UsageError (a
    selection that names an axis or a value which the recipe does not have).
    """
    selection = selection or Selection()
    check_only(selection, recipe.matrix)
    expanded = expand(recipe)
    found_images, rejected = _sort_out(recipe, found, len(expanded.cells))
    picks = selection.picks or recipe.picks
    if picks is not None:
        return _picked(recipe, picks, selection, expanded, tuple(found_images), rejected)
    images = only_images(selection, recipe.matrix, found_images)
    cells = only_cells(selection, recipe.matrix, expanded.cells)
    repeated = repeated_cells(cells, recipe.backend.type, recipe.backend.model)
    outputs = len(images) * len(cells) * recipe.repeat
    jobs = count_jobs(images, len(cells), repeated, recipe.repeat, selection.limit)
    return Plan(
        recipe=recipe,
        images=images,
        rejected=rejected,
        cells=cells,
        axes=expanded.axes,
        repeat=recipe.repeat,
        limit=selection.limit,
        warnings=expanded.warnings,
        outputs_count=outputs if selection.limit is None else min(selection.limit, outputs),
        jobs_count=jobs,
        price=price(recipe, jobs),
    )


def _picked(
    recipe: Recipe,
    picks: Picks,
    selection: Selection,
    expanded: Expanded,
    found: tuple[Image, ...],
    rejected: tuple[Rejected, ...],
) -> Plan:
    """The plan of what was picked, as far as the rest of the selection lets it through.

    Raises InvalidRecipe for picks that name what the recipe does not have.
    """
    model = recipe.backend.model
    places = find_picks(picks, found, expanded.cells, recipe.repeat, model)
    kept = {id(image) for image in only_images(selection, recipe.matrix, found)}
    allowed = {*only_cells(selection, recipe.matrix, [expanded.cells[c] for _, c, _ in places])}
    chosen = choose(
        (p for p in places if id(found[p[0]]) in kept and expanded.cells[p[1]] in allowed),
        found,
        expanded.cells,
        recipe.repeat,
    )
    count = sum(map(len, chosen.picked))
    plan = Plan(
        recipe=recipe,
        images=chosen.images,
        rejected=rejected,
        cells=chosen.cells,
        axes=expanded.axes,
        repeat=recipe.repeat,
        limit=selection.limit,
        warnings=expanded.warnings,
        outputs_count=count if selection.limit is None else min(selection.limit, count),
        jobs_count=0,
        price=None,
        picked=chosen.picked,
    )
    jobs = sum(1 for _ in firsts(plan))
    return replace(plan, jobs_count=jobs, price=price(recipe, jobs))


def _sort_out(
    recipe: Recipe, found: Iterable[Image | Rejected], cells: int
) -> tuple[list[Image], tuple[Rejected, ...]]:
    """Usable and other images; stops at the first that is too many, so that none is read in vain."""
    images: list[Image] = []
    rejected: list[Rejected] = []
    for item in found:
        if isinstance(item, Rejected):
            rejected.append(item)
            continue
        images.append(item)
        _check_count(recipe, len(images), cells)
    return images, tuple(rejected)


def _check_count(recipe: Recipe, images: int, cells: int) -> None:
    """Raises InvalidRecipe where images × cells × repeat is over `limits.max_jobs`."""
    count = images * cells * recipe.repeat
    most = recipe.limits.max_jobs
    if count <= most:
        return
    factors = [f"{cells:,} cells" if cells != 1 else "1 cell"]
    if images > 1:
        factors.insert(0, f"at least {images:,} images")
    if recipe.repeat > 1:
        factors.append(f"repeat {recipe.repeat:,}")
    raise _invalid(
        recipe,
        "limits.max_jobs",
        f"{' × '.join(factors)} = {count:,} jobs, over the limit of {most:,}; make the matrix or "
        f"the sources smaller, use 'sample', or allow it with --set limits.max_jobs={count}",
    )


def _invalid(recipe: Recipe, path: str, message: str) -> InvalidRecipe:
    return InvalidRecipe([recipe.problem(path, message)])
