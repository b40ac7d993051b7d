"""A plan file in plain words: what was planned, and what differs by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from relightflow.model.plan_file import PlanFile, PlannedBackend, PlannedLimit, RecipePlan
from relightflow.plan.drift import ACCEPTS, Drift, DriftKind
from relightflow.report import escape
from relightflow.report.text import count, facts, money, price, span

SHOWN = 20
"""Differences that are listed; the others are counted."""


def refusal(file: str, refused: Sequence[tuple[RecipePlan, Sequence[Drift]]]) -> str:
    """Why a plan is not applied: the first differences, how many of each kind, and what to do."""
    every = [(plan, one) for plan, found in refused for one in found]
    lines = [
        f"{file} is not what would be made now: {count(len(every), 'difference')} "
        f"({_kinds([one for _, one in every])}); nothing was sent"
    ]
    several = len(refused) > 1
    for plan, one in every[:SHOWN]:
        where = f"{plan.recipe}: " if several else ""
        lines.append(f"  {where}{one.kind}: {one.message}")
    if len(every) > SHOWN:
        lines.append(f"  and {len(every) - SHOWN:,} more")
    kinds = {one.kind for _, one in every}
    accepted = [name for name, passed in ACCEPTS.items() if kinds & passed]
    again = "Make the plan again: relightflow plan … -o FILE"
    if kinds <= frozenset().union(*(ACCEPTS[name] for name in accepted)):
        options = " ".join(f"--accept {name}" for name in accepted)
        again += f", or accept this one as it is: {options}"
    return "\n".join((*lines, again))


def _kinds(found: Sequence[Drift]) -> str:
    return ", ".join(_kind(*each) for each in Counter(one.kind for one in found).items())


def _kind(kind: DriftKind, number: int) -> str:
    """`1 image added`, `30 images added`."""
    if kind is DriftKind.UNKNOWN:
        return count(number, kind)
    noun, _, rest = kind.partition(" ")
    return f"{count(number, noun)} {rest}".rstrip()


def plan_file(found: PlanFile, stale: Sequence[str], columns: int | None = None) -> Iterator[str]:
    """Each recipe's plan. `stale`: for each, what differs by now, in words; empty: nothing."""
    yield f"plan {found.sha256}"
    for plan, differs in zip(found.plans, stale, strict=True):
        yield from _recipe(plan, differs, columns)


def _recipe(plan: RecipePlan, differs: str, columns: int | None) -> Iterator[str]:
    counts = plan.counts
    name = escape.terminal(plan.recipe)
    yield f"{name}: {count(counts.new, 'job')} to make, {price(plan.price)}"
    states = (
        (counts.in_place, "in place"),
        (counts.shared, "in the shared store"),
        (counts.collect, "to collect"),
        (counts.unknown, "unknown"),
        (counts.failed, "paid and failed"),
        (counts.new, "new"),
    )
    jobs = ", ".join(f"{number:,} {word}" for number, word in states if number)
    rejected = f", {len(plan.rejected):,} cannot be used" if plan.rejected else ""
    yield from facts(
        (
            ("recipe", escape.terminal(plan.request.path)),
            ("images", f"{len(plan.images):,}{rejected}"),
            ("cells", _cells(plan)),
            ("selection", escape.terminal(_selection(plan))),
            ("jobs", f"{counts.jobs:,}: {jobs}" if jobs else "0"),
            *(("backend", escape.terminal(_backend(plan, each))) for each in plan.each_backend),
            ("cap", escape.terminal("; ".join(map(_limit, plan.limits)))),
            ("stale", differs),
        ),
        columns,
    )


def _cells(plan: RecipePlan) -> str:
    axes = f" ({' × '.join(map(escape.terminal, plan.axes))})" if plan.axes else ""
    return f"{len(plan.cells):,}{axes}" + (f", {plan.repeat} times each" if plan.repeat > 1 else "")


def _selection(plan: RecipePlan) -> str:
    request = plan.request
    parts = [f"--set {text}" for text in request.overrides]
    parts += [f"--backend {request.backend}"] if request.backend else []
    parts += [f"--only {axis}={','.join(values)}" for axis, values in request.only]
    parts += [f"--limit {request.limit}"] if request.limit is not None else []
    parts += [f"--picks (sha256 {request.picks_sha256[:16]}…)"] if request.picks_sha256 else []
    return " ".join(parts)


def _backend(plan: RecipePlan, found: PlannedBackend) -> str:
    each = f", {price(found.call)} per job" if found.call is None or not found.call.free else ""
    model = f", {found.model}" if found.model != found.backend else ""
    if not plan.backends:
        return f"{found.backend}{model}{each}"
    name = f"{found.label}: " if found.label != found.backend else ""
    cost = f", {price(found.price)}" if each and found.new else ""
    return f"{name}{found.backend}{model}{each}: {found.new:,} new{cost}"


def _limit(limit: PlannedLimit) -> str:
    window = f" in {span(limit.window)}" if limit.window else ""
    return f"{money(limit.amount)}{window} ({limit.source})"


def stale(found: Sequence[Drift]) -> str:
    """On one line; empty where nothing differs."""
    return f"{count(len(found), 'difference')} by now: {_kinds(found)}" if found else ""
