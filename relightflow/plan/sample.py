"""Which cells of a matrix are made: all, the first few, a seeded choice, or every pair of values.

Cells keep the plan's order. `count` counts cells of every kind. `pairwise` works on the axes'
combinations; a cell that `include` added was asked for by name and is always kept.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from hashlib import sha256

from relightflow.model.recipe import Sample
from relightflow.model.values import Parameters
from relightflow.plan.matrix import Cells, Picked
from relightflow.plan.pairwise import fewest, pairwise
from relightflow.plan.spelling import spell_all

RANKED = 250_000
"""Up to so many cells, a random choice looks at every one."""


def sampled_count(cells: Cells, sample: Sample) -> int:
    """How many cells `sampled` gives, found without making them; for `pairwise` at least so many."""
    if sample.strategy == "full":
        return cells.total
    if sample.strategy == "pairwise":
        return (fewest(cells.grid) if cells.originals else 0) + len(cells.extras)
    return min(sample.count, cells.total)


def sampled(cells: Cells, sample: Sample, most: int) -> Sequence[Parameters]:
    """The chosen cells. `pairwise` stops with more than `most`, which the caller then refuses."""
    if sample.strategy == "full":
        return cells
    if sample.strategy == "pairwise":
        rows = pairwise(cells.grid, most) if cells.originals else []
        return (*map(cells.cell, rows), *cells.extras)
    count = min(sample.count, cells.total)
    if sample.strategy == "first" or count == cells.total:
        return Picked(cells, range(count))
    return Picked(cells, _random(cells, count, sample.seed))


def _random(cells: Cells, count: int, seed: int) -> Sequence[int]:
    """Positions of a choice that is the same on every platform and version of Python.

    Each cell has its own rank, a hash of seed and cell, so that a larger `count` keeps what was
    chosen (and bought) before, and so does a matrix that grows, for the most part. In matrices too
    large for that positions are drawn instead, which only the first of the two survives.
    """
    if cells.total <= RANKED:
        ranks = (
            (sha256(f"{seed}:{spell_all(cell)}".encode()).digest(), position)
            for position, cell in enumerate(cells)
        )
        return sorted(position for _, position in heapq.nsmallest(count, ranks))
    chosen: set[int] = set()
    for position in _draws(seed, cells.total):
        if len(chosen) == count:
            break
        chosen.add(position)
    return sorted(chosen)


def _draws(seed: int, total: int) -> Iterator[int]:
    """Evenly spread positions below `total`, without end."""
    size = total.bit_length() // 8 + 9  # 64 bits more than needed: no position is favoured
    number = 0
    while True:
        digest = b""
        while len(digest) < size:
            digest += sha256(f"{seed}:{number}".encode()).digest()
            number += 1
        yield int.from_bytes(digest[:size], "big") % total
