"""What keeps a plan from being applied: differences in the work, not in the ledger's history.

No drift: comments and formatting of the recipe, the order of images and cells, other recipes'
purchases, jobs of the plan that were bought meanwhile, a lower price, a higher cap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from relightflow.model.money import Micros, dollars
from relightflow.model.plan_file import PlannedCell, RecipePlan
from relightflow.plan.job_set import job_set
from relightflow.plan.spelling import spell_all, text


class DriftKind(StrEnum):
    BACKEND = "backend"
    IMAGE_CHANGED = "image changed"
    IMAGE_MISSING = "image missing"
    IMAGE_ADDED = "image added"
    CELL_MISSING = "cell missing"
    CELL_ADDED = "cell added"
    CELL_SENT = "cell sent otherwise"
    REPEAT = "repeat"
    SELECTION = "selection"
    PRICE = "price"
    CAP = "cap"
    UNKNOWN = "unknown outcome"


ACCEPTS = {
    "price": frozenset({DriftKind.PRICE, DriftKind.CAP, DriftKind.UNKNOWN}),
    "missing": frozenset({DriftKind.IMAGE_MISSING}),
}
"""What the operator may let pass, and which differences that is."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between a plan and what it would be now."""

    kind: DriftKind
    message: str
    """What it was and what it is. May hold untrusted text."""


def drift(planned: RecipePlan, now: RecipePlan, excused: Collection[str] = ()) -> tuple[Drift, ...]:
    """Every difference, of one kind after the other. `excused`: ids of jobs whose outcome is unknown
    because of this very plan, so that an apply that was killed can be continued."""
    found = [*_backend(planned, now), *_images(planned, now), *_cells(planned, now)]
    if not found:
        found += _selection(planned, now)
    return (*found, *_money(planned, now), *_unknown(planned, now, excused))


def left(found: Collection[Drift], accepted: Collection[str]) -> tuple[Drift, ...]:
    """What the operator did not accept; `accepted` are keys of ACCEPTS."""
    passed = frozenset[DriftKind]().union(*(ACCEPTS[name] for name in accepted))
    return tuple(one for one in found if one.kind not in passed)


def _backend(planned: RecipePlan, now: RecipePlan) -> Iterator[Drift]:
    was, is_ = (
        ", ".join(f"{each.backend} {each.model}" for each in plan.each_backend)
        for plan in (planned, now)
    )
    if was != is_:
        yield Drift(DriftKind.BACKEND, f"{was}, now {is_}")
    if planned.repeat != now.repeat:
        yield Drift(DriftKind.REPEAT, f"{planned.repeat}, now {now.repeat}")


def _images(planned: RecipePlan, now: RecipePlan) -> Iterator[Drift]:
    was, is_ = (Counter((i.name, i.sha256) for i in plan.images) for plan in (planned, now))
    gone: dict[str, list[str]] = {}
    for name, sha256 in (was - is_).elements():
        gone.setdefault(name, []).append(sha256)
    missing, changed, added = [], [], []
    for name, sha256 in (is_ - was).elements():
        if gone.get(name):
            before = gone[name].pop()
            changed.append(f"{name}: sha256 {before[:16]}…, now {sha256[:16]}…")
        else:
            added.append(name)
    reasons = dict(now.rejected)
    for name, hashes in gone.items():
        why = f": {reasons[name]}" if name in reasons else ""
        missing += [f"{name}{why}"] * len(hashes)
    for kind, names in (
        (DriftKind.IMAGE_CHANGED, changed),
        (DriftKind.IMAGE_MISSING, missing),
        (DriftKind.IMAGE_ADDED, added),
    ):
        yield from (Drift(kind, name) for name in names)


def _cells(planned: RecipePlan, now: RecipePlan) -> Iterator[Drift]:
    was, is_ = ({spell_all(c.cell): c for c in plan.cells} for plan in (planned, now))
    for name in was:
        if name not in is_:
            yield Drift(DriftKind.CELL_MISSING, told(was[name]))
        elif spell_all(was[name].parameters) != spell_all(is_[name].parameters):
            yield Drift(
                DriftKind.CELL_SENT, f"{told(was[name])}: the parameters that are sent differ"
            )
    yield from (Drift(DriftKind.CELL_ADDED, told(is_[name])) for name in is_ if name not in was)


def told(found: PlannedCell) -> str:
    """A cell in words."""
    return ", ".join(f"{name}={text(value)}" for name, value in found.cell.items()) or "{}"


def _selection(planned: RecipePlan, now: RecipePlan) -> Iterator[Drift]:
    """The same images and cells, and yet other jobs."""
    if planned.jobs_digest == now.jobs_digest:
        return
    was, is_ = job_set(planned), job_set(now)
    yield Drift(
        DriftKind.SELECTION,
        f"{len(is_.minus(was)):,} jobs more and {len(was.minus(is_)):,} fewer are selected",
    )


def _money(planned: RecipePlan, now: RecipePlan) -> Iterator[Drift]:
    before = {(each.backend, each.model): each for each in planned.each_backend}
    for each in now.each_backend:
        was_each = before.get((each.backend, each.model))
        if not each.new or was_each is None or was_each.call is None:
            continue
        if each.reserved > was_each.reserved:
            whose = f" of {each.label}" if now.backends else ""
            yield Drift(
                DriftKind.PRICE,
                f"a call{whose} costs up to {dollars(each.reserved)} USD, "
                f"{dollars(was_each.reserved)} in the plan",
            )
    for window in dict.fromkeys(limit.window for limit in now.limits):
        was, is_ = _lowest(planned, window), _lowest(now, window)
        short = was is None and now.price is not None and is_ is not None and is_ < now.price.high
        if is_ is not None and ((was is not None and is_ < was) or short):
            there = "no such limit" if was is None else f"{dollars(was)}"
            yield Drift(DriftKind.CAP, f"{dollars(is_)} USD, {there} in the plan")


def _lowest(plan: RecipePlan, window: float | None) -> Micros | None:
    return min((limit.amount for limit in plan.limits if limit.window == window), default=None)


def _unknown(planned: RecipePlan, now: RecipePlan, excused: Collection[str]) -> Iterator[Drift]:
    known = {*planned.unknown_jobs, *excused}
    for job in now.unknown_jobs:
        if job not in known:
            yield Drift(DriftKind.UNKNOWN, f"job {job} may have been billed since")
