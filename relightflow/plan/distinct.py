"""Which images and cells of a plan are the same purchase as an earlier one.

Jobs repeat only because the same bytes have two names or two cells are sent as the same
parameters. So it is enough to know, for each image and each cell, whether it is the first of its
kind: nothing grows with images × cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from relightflow.model.catalog import Model
from relightflow.model.image import Image
from relightflow.model.values import Parameters
from relightflow.plan.keys import KeyMaker
from relightflow.plan.matrix import Cells, Picked


def first_images(images: Iterable[Image]) -> dict[str, Image]:
    """sha256 → the first image with these bytes, in plan order."""
    firsts: dict[str, Image] = {}
    for image in images:
        firsts.setdefault(image.sha256, image)
    return firsts


def repeated_cells(cells: Sequence[Parameters], backend: str, model: Model) -> frozenset[int]:
    """Positions of the cells that are sent as the same parameters as an earlier one."""
    if _surely_distinct(cells, model):
        return frozenset()
    seen: set[bytes] = set()
    repeated = []
    for position, mark in enumerate(_marks(cells, backend, model)):
        if mark in seen:
            repeated.append(position)
        seen.add(mark)
    return frozenset(repeated)


def _marks(cells: Sequence[Parameters], backend: str, model: Model) -> Iterator[bytes]:
    maker = KeyMaker(backend, model.name)
    for cell in cells:
        # 128 bits: far fewer bytes than the text, and two cells never share one by chance
        yield blake2b(maker.tail(model.normalise(cell)), digest_size=16).digest()


def _surely_distinct(cells: Sequence[Parameters], model: Model) -> bool:
    """True where every two cells differ in an axis that the model is told."""
    whole = cells.cells if isinstance(cells, Picked) else cells
    if not isinstance(whole, Cells) or whole.extras:
        return False
    light = model.light.axes() if model.light else ()  # two values may be sent as one
    told = all(model.parameter(name) and name not in light for name in whole.grid.names)
    return told and whole.grid.distinct


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
