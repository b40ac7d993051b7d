"""Recipe + images → Plan.

Everything is counted before it is built, so that a recipe that asks for too much is refused in
milliseconds and in constant memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import overload

from relightflow.errors import InvalidRecipe
from relightflow.model.image import Found, Image, PassedOver, Rejected, Remark
from relightflow.model.picks import Picks
from relightflow.model.plan import Plan, Selection
from relightflow.model.recipe import Recipe
from relightflow.model.values import Parameters
from relightflow.plan.distinct import count_by_backend, repeated_cells
from relightflow.plan.grid import Tangled
from relightflow.plan.matrix import Cells, pick
from relightflow.plan.outputs import counted
from relightflow.plan.picked import Place, choose, find_picks
from relightflow.plan.price import price, priced
from relightflow.plan.sample import sampled, sampled_count
from relightflow.plan.select import check_only, only_images, only_positions
from relightflow.plan.shards import shard_of


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


def build(recipe: Recipe, found: Iterable[Found], selection: Selection | None = None) -> Plan:
    """The plan for the images that were `found`, in their order.

    `limits.max_jobs` counts the recipe as it stands; a selection does not make it smaller. The plan of a
    selection holds the whole one too (`Plan.described`). Raises
    InvalidRecipe (see `expand`, and images × cells × repeat over `max_jobs`) and UsageError (a
    selection that names an axis or a value which the recipe does not have, or a shard of too many).
    """
    selection = selection or Selection()
    made = _build(recipe, found, replace(selection, shard=None))
    return shard_of(made, selection.shard) if selection.shard else made


def _build(recipe: Recipe, found: Iterable[Found], selection: Selection) -> Plan:
    check_only(selection, recipe.matrix)
    expanded = expand(recipe)
    ground = _sort_out(recipe, expanded, found)
    whole, places = _whole(ground, selection.picks)
    if selection == Selection():
        return whole
    if selection.picks or places is not None:
        return replace(_chosen(ground, selection, places), whole=whole)
    return replace(_grid(ground, selection), whole=whole)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a recipe could make, before anything is selected."""

    recipe: Recipe
    expanded: Expanded
    images: tuple[Image, ...]
    rejected: tuple[Rejected, ...]
    passed_over: tuple[tuple[str, int], ...] = ()

    def find(self, picks: Picks) -> list[Place]:
        """Raises InvalidRecipe for picks that name what the recipe does not have."""
        return find_picks(picks, self.images, self.expanded.cells, self.recipe)


def _whole(ground: _Ground, more: Picks | None) -> tuple[Plan, list[Place] | None]:
    """All that the recipe describes, and its places where it has picks. `more`: picks of the command
    line, which then belong to it as well."""
    if ground.recipe.picks is None:
        return _grid(ground, Selection()), None
    places = ground.find(ground.recipe.picks)
    if more is not None:
        places = sorted({*places, *ground.find(more)})
    return _listed(ground, places, None, range(len(places))), places


def _grid(ground: _Ground, selection: Selection) -> Plan:
    """Images × cells × repeats, as far as `--only` and `--limit` let them through."""
    recipe, all_cells = ground.recipe, ground.expanded.cells
    images = only_images(selection, recipe.matrix, ground.images)
    kept = only_positions(selection, recipe.matrix, all_cells)
    cells = all_cells if len(kept) == len(all_cells) else pick(all_cells, kept)
    repeated = repeated_cells(cells, recipe)
    outputs = len(images) * len(cells) * recipe.repeat
    jobs = count_by_backend(recipe, images, cells, repeated, selection.limit)
    recipe, numbers = priced(recipe, images, cells), None
    if selection.only:
        place_of = {id(image): place for place, image in enumerate(ground.images)}
        there = tuple(place_of[id(image)] for image in images)
        numbers = _Numbers(there, kept, recipe.repeat, len(all_cells))
    return Plan(
        recipe=recipe,
        images=images,
        rejected=ground.rejected,
        cells=cells,
        axes=ground.expanded.axes,
        repeat=recipe.repeat,
        limit=selection.limit,
        warnings=ground.expanded.warnings,
        outputs_count=outputs if selection.limit is None else min(selection.limit, outputs),
        jobs_count=sum(jobs),
        price=price(recipe, jobs),
        jobs_of=jobs if recipe.more_backends else (),
        numbers=numbers,
        passed_over=ground.passed_over,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Numbers(Sequence[int]):
    """Place of an output in a part of images × cells × repeats → its index in the whole."""

    images: Sequence[int]
    cells: Sequence[int]
    repeat: int
    row: int
    """Cells of the whole."""

    def __len__(self) -> int:
        return len(self.images) * len(self.cells) * self.repeat

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    def __getitem__(self, place: int | slice) -> int | Sequence[int]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        above, again = divmod(place, self.repeat)
        image, cell = divmod(above, len(self.cells))
        return (self.images[image] * self.row + self.cells[cell]) * self.repeat + again


def _chosen(ground: _Ground, selection: Selection, whole: list[Place] | None) -> Plan:
    """What was picked, as far as the rest of the selection lets it through. `whole`: the places of the
    whole plan, where that is picked too."""
    recipe, cells = ground.recipe, ground.expanded.cells
    places = ground.find(selection.picks) if selection.picks else whole or []
    kept = {id(image) for image in only_images(selection, recipe.matrix, ground.images)}
    fitting = only_positions(selection, recipe.matrix, [cells[c] for _, c, _ in places])
    left = [places[n] for n in fitting if id(ground.images[places[n][0]]) in kept]
    if whole is None:
        numbers = [(i * len(cells) + c) * recipe.repeat + again for i, c, again in left]
    else:
        number_of = {place: number for number, place in enumerate(whole)}
        numbers = [number_of[place] for place in left]
    return _listed(ground, left, selection.limit, numbers)


def _listed(
    ground: _Ground, places: list[Place], limit: int | None, numbers: Sequence[int]
) -> Plan:
    """The outputs at `places`, which are in plan order."""
    recipe = ground.recipe
    chosen = choose(places, ground.images, ground.expanded.cells, recipe.repeat)
    recipe = priced(recipe, chosen.images, chosen.cells)
    count = sum(map(len, chosen.picked))
    plan = Plan(
        recipe=recipe,
        images=chosen.images,
        rejected=ground.rejected,
        cells=chosen.cells,
        axes=ground.expanded.axes,
        repeat=recipe.repeat,
        limit=limit,
        warnings=ground.expanded.warnings,
        outputs_count=count if limit is None else min(limit, count),
        jobs_count=0,
        price=None,
        picked=chosen.picked,
        numbers=numbers,
        passed_over=ground.passed_over,
    )
    return counted(plan)


def _sort_out(recipe: Recipe, expanded: Expanded, found: Iterable[Found]) -> _Ground:
    """Usable and other images; stops at the first that is too many, so that none is read in vain."""
    images: list[Image] = []
    rejected: list[Rejected] = []
    passed_over: Counter[str] = Counter()
    remarks: list[str] = []
    for item in found:
        match item:
            case Rejected():
                rejected.append(item)
            case PassedOver():
                passed_over[item.kind] += item.count
            case Remark():
                place = f"sources[{item.source}].{item.field}"
                remarks.append(str(recipe.problem(place, item.message)))
            case _:
                images.append(item)
                _check_count(recipe, len(images), len(expanded.cells))
    expanded = replace(expanded, warnings=(*expanded.warnings, *remarks))
    counted = tuple(sorted(passed_over.items()))
    return _Ground(recipe, expanded, tuple(images), tuple(rejected), counted)


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
