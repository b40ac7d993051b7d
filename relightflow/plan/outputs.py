"""Draws a plan's outputs and jobs, one at a time and in plan order, in constant memory.

A run goes through its plan several times: the outputs of the plan that was gone through last are kept, where
they are few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from relightflow.model.image import Image
from relightflow.model.job import Job, Output
from relightflow.model.plan import Plan
from relightflow.model.values import Parameters
from relightflow.plan.distinct import first_images, repeated_cells
from relightflow.plan.keys import KeyMaker, key_of
from relightflow.plan.price import price

HELD = 20_000
"""Up to so many cells are written out once and kept; beyond it they are made again for each image."""

_Ready = tuple[Parameters, Parameters, bytes, int]
"""A cell, what is sent for it, that part of its key, and which of the recipe's backends makes it."""


_MOST_KEPT = 16_384
"""Outputs of one plan: some 5 MB."""
_kept: tuple[Plan, tuple[Output, ...]] | None = None
"""The plan that was gone through last, and its outputs: both never change."""


def outputs(plan: Plan) -> Iterator[Output]:
    """Every output: image outermost, then cell, then repeat; only what was picked, where it was. Its
    index is that of the whole plan, whatever part of it this is."""
    kept = _kept
    if kept and kept[0] is plan:
        return iter(kept[1])
    return _drawn(plan) if plan.outputs_count > _MOST_KEPT else _keeping(plan)


def _keeping(plan: Plan) -> Iterator[Output]:
    global _kept
    drawn = []
    for output in _drawn(plan):
        drawn.append(output)
        yield output
    _kept = (plan, tuple(drawn))


def _drawn(plan: Plan) -> Iterator[Output]:
    drawer = _Drawer(plan)
    every = drawer.draw_picked() if plan.picked is not None else drawer.draw(plan.images)
    return every if plan.limit is None else islice(every, plan.limit)


def jobs(plan: Plan) -> Iterator[Job]:
    """Every distinct job, in the order of its first output; `plan.jobs_count` of them."""
    return (output.job for output in firsts(plan))


def firsts(plan: Plan) -> Iterator[Output]:
    """Of every distinct job, the first output that wants it."""
    return outputs(plan) if plan.jobs_count == plan.outputs_count else _firsts(plan)


def _firsts(plan: Plan) -> Iterator[Output]:
    """The same of a plan whose jobs may not be counted yet."""
    if plan.picked is not None:
        yield from _first_of_each_key(outputs(plan))
        return
    repeated = repeated_cells(plan.cells, plan.recipe)
    per_image = len(plan.cells) * plan.repeat
    drawer = _Drawer(plan)
    drawn: set[str] = set()
    for place, image in enumerate(plan.images):
        if image.sha256 in drawn:
            continue
        drawn.add(image.sha256)
        start = place * per_image
        left = per_image if plan.limit is None else plan.limit - start
        if left <= 0:
            return
        for position, output in enumerate(islice(drawer.draw((image,), start), left)):
            if not repeated or position // plan.repeat not in repeated:
                yield output


def counted(plan: Plan) -> Plan:
    """`plan` with its distinct jobs counted one by one, and their price."""
    recipe = plan.recipe
    counts = Counter((output.job.backend, output.job.model) for output in _firsts(plan))
    jobs = tuple(counts[spec.pair] for spec in recipe.backends)
    several = jobs if recipe.more_backends else ()
    return replace(plan, jobs_count=sum(jobs), price=price(recipe, jobs), jobs_of=several)


def _first_of_each_key(every: Iterable[Output]) -> Iterator[Output]:
    """Two images with the same bytes may have different picks, so the keys themselves are compared."""
    drawn: set[str] = set()
    for output in every:
        if output.job.key not in drawn:
            drawn.add(output.job.key)
            yield output


class _Drawer:
    """What all outputs of a plan share, worked out once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.duplicates = first_images(plan.images)
        self._pairs = [spec.pair for spec in plan.recipe.backends]
        self._makers = [KeyMaker(*pair) for pair in self._pairs]
        cells = _ReadyJobs(plan, self._makers)
        self._ready: Iterable[_Ready] = list(cells) if len(plan.cells) <= HELD else cells
        self._ends = [f"{repeat}}}".encode() for repeat in range(plan.repeat)]
        # the recipe's own repeats come first: one that it asks for by now is no retry any more
        self._retries = {k: n for k, n in plan.retries.items() if n >= plan.repeat}
        self._numbers = range(plan.outputs_count) if plan.numbers is None else plan.numbers

    def draw(self, images: Iterable[Image], place: int = 0) -> Iterator[Output]:
        """The outputs of `images`, the first of which is at `place` in this plan."""
        for image in images:
            heads = [maker.head(image.sha256) for maker in self._makers]
            duplicate = self.duplicates[image.sha256]
            for cell, parameters, tail, number in self._ready:
                head = heads[number]
                backend, model = self._pairs[number]
                for repeat, end in enumerate(self._ends):
                    key = key_of(head, tail, end)
                    job = Job(key, duplicate, backend, model, parameters, repeat)
                    output = Output(self._numbers[place], job, image, cell)
                    yield self._retried(output, head + tail) if key in self._retries else output
                    place += 1

    def draw_picked(self) -> Iterator[Output]:
        """The picked outputs, in plan order."""
        ready = list(self._ready)
        numbers = iter(self._numbers)
        for image, places in zip(self._plan.images, self._plan.picked or (), strict=True):
            heads = [maker.head(image.sha256) for maker in self._makers]
            duplicate = self.duplicates[image.sha256]
            for place in places:
                position, repeat = divmod(place, self._plan.repeat)
                cell, parameters, tail, number = ready[position]
                key = key_of(heads[number], tail, self._ends[repeat])
                job = Job(key, duplicate, *self._pairs[number], parameters, repeat)
                output = Output(next(numbers), job, image, cell)
                start = heads[number] + tail
                yield self._retried(output, start) if key in self._retries else output

    def _retried(self, output: Output, start: bytes) -> Output:
        """The output with the repeat that has taken the place of its own job."""
        repeat = self._retries[output.job.key]
        key = key_of(start, b"", f"{repeat}}}".encode())
        return replace(
            output, job=replace(output.job, key=key, repeat=repeat), instead_of=output.job
        )


class _ReadyJobs:
    """The plan's cells, each with what its jobs need; may be gone through again and again."""

    def __init__(self, plan: Plan, makers: Sequence[KeyMaker]) -> None:
        """`makers`: one for each of the recipe's backends."""
        self._plan = plan
        self._makers = makers

    def __iter__(self) -> Iterator[_Ready]:
        recipe = self._plan.recipe
        for cell in self._plan.cells:
            parameters, number = recipe.sent(cell), recipe.number_of(cell)
            yield cell, parameters, self._makers[number].tail(parameters), number
