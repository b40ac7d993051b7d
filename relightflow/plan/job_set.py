"""The jobs of a plan as a set: images × what is sent for them, counted and compared without the product.

Images that want the same cells share one set, so that 10,000 images × 256 cells cost 10,256 entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import inf

from relightflow.model.job import Job
from relightflow.model.plan_file import RecipePlan
from relightflow.model.recipe import BACKEND
from relightflow.plan.spelling import spell_all

_Wanted = frozenset[str]
"""What is made of one image: `BACKEND MODEL PARAMETERS#REPEAT`, the parameters in canonical JSON as they
are sent."""


def _start_of(backend: str, model: str) -> str:
    """What the wants of a model begin with."""
    return f"{backend} {model} "


@dataclass(frozen=True, slots=True)
class JobSet:
    models: tuple[tuple[str, str], ...]
    """(backend, model) that the plan has, sorted."""
    by_image: Mapping[str, _Wanted]
    """sha256 of an image → what is made of it; never empty."""

    def __len__(self) -> int:
        return sum(map(len, self.by_image.values()))

    def __contains__(self, job: Job) -> bool:
        wanted = self.by_image.get(job.image.sha256, _NOTHING)
        start = _start_of(job.backend, job.model)
        return f"{start}{spell_all(job.parameters)}#{job.repeat}" in wanted

    def count(self, backend: str, model: str) -> int:
        """How many of them are one model's."""
        if self.models == ((backend, model),):
            return len(self)
        start = _start_of(backend, model)
        return sum(one.startswith(start) for wanted in self.by_image.values() for one in wanted)

    @property
    def digest(self) -> str:
        """The same for two sets only if their jobs are the same, however they came about: sha256 over
        a line with backend and model for each model, then a line for each image, sorted: its sha256 and
        the sha256 over its sorted wants (of one model without backend and model)."""
        seen: dict[int, str] = {}
        names = (spell_all({"backend": backend, "model": model}) for backend, model in self.models)
        total = sha256("".join(f"{name}\n" for name in names).encode())
        known = len(_start_of(*self.models[0])) if len(self.models) == 1 else 0
        for image in sorted(self.by_image):
            wanted = self.by_image[image]
            if id(wanted) not in seen:
                lines = "\n".join(one[known:] for one in sorted(wanted))
                seen[id(wanted)] = sha256(lines.encode()).hexdigest()
            total.update(f"{image} {seen[id(wanted)]}\n".encode())
        return total.hexdigest()

    def minus(self, other: JobSet) -> JobSet:
        """The jobs of this set that `other` does not have."""
        known: dict[tuple[int, int], _Wanted] = {}
        left: dict[str, _Wanted] = {}
        for image, wanted in self.by_image.items():
            theirs = other.by_image.get(image, _NOTHING)
            pair = (id(wanted), id(theirs))
            if pair not in known:
                known[pair] = wanted - theirs
            if known[pair]:
                left[image] = known[pair]
        return JobSet(self.models, left)


_NOTHING: _Wanted = frozenset()


def job_set(plan: RecipePlan) -> JobSet:
    """All distinct jobs of `plan`."""
    by_image: dict[str, _Wanted] = {}
    for image, wanted in zip(plan.images, _wants(plan), strict=False):
        before = by_image.get(image.sha256)
        both = wanted if before is None or before is wanted else before | wanted
        if both:
            by_image[image.sha256] = both
    models = sorted({(each.backend, each.model) for each in plan.each_backend})
    return JobSet(tuple(models), by_image)


def sent_of_cells(plan: RecipePlan) -> Iterator[str]:
    """What is sent for each cell, and to which model: `BACKEND MODEL PARAMETERS`."""
    starts = {each.label: _start_of(each.backend, each.model) for each in plan.each_backend}
    only = _start_of(plan.backend, plan.model)
    for cell in plan.cells:
        start = starts[cell.cell[BACKEND]] if plan.backends else only
        yield start + spell_all(cell.parameters)


def outputs_count(plan: RecipePlan) -> int:
    """Images × cells × repeats, or what was picked of them, as far as the limit lets it through."""
    rows = len(plan.cells) * plan.repeat
    count = len(plan.images) * rows if plan.picked is None else sum(map(len, plan.picked))
    return count if plan.request.limit is None else min(count, plan.request.limit)


def _wants(plan: RecipePlan) -> Iterator[_Wanted]:
    """For each image, in order, what is made of it."""
    names = [f"{what}#{repeat}" for what in sent_of_cells(plan) for repeat in range(plan.repeat)]
    left = inf if plan.request.limit is None else plan.request.limit
    whole = frozenset(names)
    everything: Sequence[int] = range(len(names))
    for number in range(len(plan.images)):
        places = everything if plan.picked is None else plan.picked[number]
        if len(places) > left:
            places = places[: int(left)]
        left -= len(places)
        full = plan.picked is None and len(places) == len(names)
        yield whole if full else frozenset(names[place] for place in places)
