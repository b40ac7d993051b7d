"""Which images and cells of a plan are the same purchase as an earlier one.

Jobs repeat only because the same bytes have two names or two cells are sent as the same
parameters. So it is enough to know, for each image and each cell, whether it is the first of its
kind: nothing grows with images × cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from relightflow.model.catalog import Model
from relightflow.model.image import Image
from relightflow.model.recipe import BACKEND, Recipe
from relightflow.model.values import Parameters
from relightflow.plan.keys import KeyMaker
from relightflow.plan.matrix import Cells, Picked


def first_images(images: Iterable[Image]) -> dict[str, Image]:
    """sha256 → the first image with these bytes, in plan order."""
    firsts: dict[str, Image] = {}
    for image in images:
        firsts.setdefault(image.sha256, image)
    return firsts


def repeated_cells(cells: Sequence[Parameters], recipe: Recipe) -> frozenset[int]:
    """Positions of the cells that are sent as the same parameters as an earlier one, by one backend."""
    if _surely_distinct(cells, recipe):
        return frozenset()
    seen: set[bytes] = set()
    repeated = []
    for position, mark in enumerate(_marks(cells, recipe)):
        if mark in seen:
            repeated.append(position)
        seen.add(mark)
    return frozenset(repeated)


def _marks(cells: Sequence[Parameters], recipe: Recipe) -> Iterator[bytes]:
    makers = [KeyMaker(*spec.pair) for spec in recipe.backends]
    for cell in cells:
        number = recipe.number_of(cell)
        mark = makers[number].head("") + makers[number].tail(recipe.sent(cell))
        # 128 bits: far fewer bytes than the text, and two cells never share one by chance
        yield blake2b(mark, digest_size=16).digest()


def _surely_distinct(cells: Sequence[Parameters], recipe: Recipe) -> bool:
    """True where every two cells differ in an axis that the model is told, or in the backend."""
    whole = cells.cells if isinstance(cells, Picked) else cells
    if not isinstance(whole, Cells) or whole.extras:
        return False
    names = [n for n in whole.grid.names if not (recipe.more_backends and n == BACKEND)]
    told = all(_is_told(spec.model, name) for spec in recipe.backends for name in names)
    return told and whole.grid.distinct


def _is_told(model: Model, axis: str) -> bool:
    """Whether two values of the axis are always sent as two."""
    light = model.light.axes() if model.light else ()
    return model.parameter(axis) is not None and axis not in light


def count_by_backend(
    recipe: Recipe,
    images: Sequence[Image],
    cells: Sequence[Parameters],
    repeated: frozenset[int],
    limit: int | None,
) -> tuple[int, ...]:
    """Distinct jobs of each of the recipe's backends in the first `limit` outputs of images × cells ×
    repeats."""
    repeat = recipe.repeat
    if not recipe.more_backends:
        return (count_jobs(images, len(cells), repeated, repeat, limit),)
    row = len(cells) * repeat
    left = len(images) * row if limit is None else limit
    rows = [(image.sha256, max(0, min(row, left - n * row))) for n, image in enumerate(images)]
    wanted: Counter[int] = Counter()
    seen: set[str] = set()
    for sha256, count in rows:
        if sha256 not in seen:
            seen.add(sha256)
            wanted[count] += 1
    counts: Counter[int] = Counter()
    for position, cell in enumerate(cells):
        if position not in repeated:
            there = (max(0, min(repeat, n - position * repeat)) * m for n, m in wanted.items())
            counts[recipe.number_of(cell)] += sum(there)
    return tuple(counts[number] for number in range(len(recipe.backends)))


def count_jobs(
    images: Sequence[Image], cells: int, repeated: frozenset[int], repeat: int, limit: int | None
) -> int:
    """Distinct jobs in the first `limit` outputs of images × cells × repeat."""
    row = cells * repeat
    outputs = len(images) * row
    wanted = outputs if limit is None else min(limit, outputs)
    if not wanted:
        return 0
    whole, rest = divmod(wanted, row)
    shas = {image.sha256 for image in images[:whole]}
    count = len(shas) * (cells - len(repeated)) * repeat
    if rest and images[whole].sha256 not in shas:
        full, last = divmod(rest, repeat)
        count += (full - sum(position < full for position in repeated)) * repeat
        count += 0 if full in repeated else last
    return count
