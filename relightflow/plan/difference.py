"""What a change of recipes, images or options comes to: jobs added, removed and kept, and their price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from relightflow.model.catalog import Price
from relightflow.model.plan_file import RecipePlan
from relightflow.model.plan_status import PlanStatus
from relightflow.plan.job_set import JobSet, job_set, sent_of_cells
from relightflow.plan.spelling import text


@dataclass(frozen=True, slots=True)
class Change:
    """Jobs of one image, or of one value of an axis."""

    name: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class PlanDifference:
    plan: RecipePlan
    known: bool
    """Whether there is a plan to compare with; False: everything is added."""
    added: int
    removed: int
    kept: int
    new: int
    """Of those added: to be bought."""
    reused: int
    """Of those added: stored here or in the shared store."""
    collect: int
    unknown: int
    """Of those added: may have been billed."""
    price: Price | None
    """Of `new`; None: unknown."""
    images: tuple[Change, ...]
    """Where something changes, in plan order; then what is gone."""
    values: tuple[Change, ...]
    """`axis=value`, in the recipe's order."""
    note: str = ""
    """Why there is nothing to compare with, where something is wrong."""

    @property
    def any(self) -> bool:
        """Whether anything is different."""
        return bool(self.added or self.removed)


def jobs_added(now: RecipePlan, before: RecipePlan | None) -> JobSet:
    """The jobs that `before` does not have."""
    mine = job_set(now)
    return mine.minus(job_set(before)) if before else mine


def difference(
    now: RecipePlan, before: RecipePlan | None, added: PlanStatus, note: str = ""
) -> PlanDifference:
    """`before`: None: there is nothing to compare with. `added`: how the jobs of `jobs_added` stand."""
    mine = job_set(now)
    theirs = job_set(before) if before else JobSet(mine.models, {})
    more, less = mine.minus(theirs), theirs.minus(mine)
    price = replace(now, **_new(now, added)).price
    return PlanDifference(
        plan=now,
        known=before is not None,
        added=len(more),
        removed=len(less),
        kept=len(mine) - len(more),
        new=added.new,
        reused=added.done + added.shared,
        collect=added.collect,
        unknown=added.unknown,
        price=price,
        images=tuple(_images(now, before, more, less)),
        values=tuple(_values(now, before, more, less)),
        note=note,
    )


def _new(now: RecipePlan, added: PlanStatus) -> dict[str, Any]:
    """The fields of `now` with only the new jobs among those `added`."""
    if not now.backends:
        return {"counts": replace(now.counts, new=added.new)}
    both = zip(now.backends, added.new_of, strict=True)
    return {"backends": tuple(replace(each, new=new) for each, new in both)}


def _images(
    now: RecipePlan, before: RecipePlan | None, more: JobSet, less: JobSet
) -> Iterator[Change]:
    """By name: an image whose bytes changed is both added and removed."""
    added: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    for counts, plan, jobs in ((added, now, more), (removed, before, less)):
        seen: set[str] = set()
        for image in plan.images if plan else ():
            if image.sha256 in jobs.by_image and image.sha256 not in seen:
                seen.add(image.sha256)
                counts[image.name] += len(jobs.by_image[image.sha256])
    for name in dict.fromkeys((*added, *removed)):
        yield Change(name, added[name], removed[name])


def _values(
    now: RecipePlan, before: RecipePlan | None, more: JobSet, less: JobSet
) -> Iterator[Change]:
    added, removed = _by_value(now, more), _by_value(before, less)
    for name in dict.fromkeys((*added, *removed)):
        if added[name] or removed[name]:
            yield Change(name, added[name], removed[name])


def _by_value(plan: RecipePlan | None, jobs: JobSet) -> Counter[str]:
    """How many of `jobs` have each value of each axis."""
    counts: Counter[str] = Counter()
    if plan is None:
        return counts
    number = _wanted(jobs)
    done: set[str] = set()
    for axis in plan.axes:
        for cell in plan.cells:
            if axis in cell.cell:
                counts.setdefault(f"{axis}={text(cell.cell[axis])}", 0)
    for cell, sent in zip(plan.cells, sent_of_cells(plan), strict=True):
        if sent in done:
            continue
        done.add(sent)
        jobs_of_cell = sum(number[f"{sent}#{repeat}"] for repeat in range(plan.repeat))
        for axis, value in cell.cell.items():
            counts[f"{axis}={text(value)}"] += jobs_of_cell
    return counts


def _wanted(jobs: JobSet) -> Counter[str]:
    """How many images want each thing; sets that images share are gone through once."""
    times = Counter(id(wanted) for wanted in jobs.by_image.values())
    sets = {id(wanted): wanted for wanted in jobs.by_image.values()}
    counts: Counter[str] = Counter()
    for key, wanted in sets.items():
        for each in wanted:
            counts[each] += times[key]
    return counts
