"""A plan in plain words: what would be made, what is there already, and what the rest costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from relightflow.model.catalog import Price
from relightflow.model.cost_estimate import CostEstimate, LimitStatus
from relightflow.model.image import Rejected
from relightflow.model.job import SHORT
from relightflow.model.plan import Plan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.planned_output import OutputAction, PlannedOutput
from relightflow.model.recipe import BackendSpec
from relightflow.model.restoration import Restoration
from relightflow.model.time_estimate import TimeEstimate
from relightflow.plan.difference import Change, PlanDifference
from relightflow.report import escape, table
from relightflow.report.doubts import advice
from relightflow.report.text import (
    REHEARSED,
    count,
    duration,
    facts,
    listing,
    money,
    passed_over,
    price,
    span,
)

_FIRST = 5
"""Rejected images that are named."""
_LONGEST = 1 << 20
"""Columns of a table's last column where nothing is shortened."""
_CHANGES = 12
"""Changed images and values that are named."""


def plan(
    found: Plan, plan_status: PlanStatus, estimate: CostEstimate, columns: int | None = None
) -> str:
    """`columns`: of the terminal it is wrapped for; None: not wrapped."""
    recipe = found.recipe
    lines = [f"{escape.terminal(recipe.name)}: {_headline(found, plan_status, estimate)}"]
    lines += facts(
        (
            ("recipe", escape.terminal(str(recipe.path))),
            ("images", _images(found)),
            ("cells", _cells(found)),
            ("jobs", _jobs(found, plan_status)),
            ("store", _store(plan_status)),
            ("restored", restored(plan_status.restoration)),
            ("unknown", _unknown(found, plan_status)),
            ("failed", _held(plan_status.held_failed)),
            *_backends(found, estimate),
            ("sends", _sends(plan_status) if estimate.calls else ""),
            ("rehearsal", REHEARSED if recipe.rehearsed else ""),
            ("cap", cap(estimate)),
            ("time", _time(estimate.time, estimate.paid)),
            ("refused", escape.terminal(plan_status.elsewhere)),
        ),
        columns,
    )
    lines += [f"  {line}" for line in advice(plan_status.undecided)]
    missing = [image for image in found.rejected if image.passing]
    unusable = [image for image in found.rejected if not image.passing]
    for what, images in (("cannot be used", unusable), ("could not be reached now", missing)):
        if images:
            lines.append(f"  {count(len(images), 'image')} {what}:")
            named = (f"{image.name}: {image.reason}" for image in images[:_FIRST])
            lines += listing(named, len(images))
    if missing:
        lines.append("  This plan is incomplete, and 'run' would stop: plan again later")
    return "\n".join(lines)


def incomplete(missing: Sequence[Rejected]) -> str:
    """Why nothing is made of a plan whose images could not all be looked at."""
    named = "; ".join(f"{image.name}: {image.reason}" for image in missing[:_FIRST])
    more = f"; and {len(missing) - _FIRST:,} more" if len(missing) > _FIRST else ""
    return (
        f"{count(len(missing), 'image')} could not be reached now, so nothing was sent, bought or "
        f"delivered: {named}{more}. Run again later (what was downloaded is kept), or remove them from "
        "the list"
    )


def changed(found: PlanDifference, columns: int | None = None) -> str:
    """The difference to an earlier plan, under that plan."""
    if not found.known:
        jobs = f"nothing to compare with: {count(found.added, 'job')} added"
    else:
        jobs = f"{count(found.added, 'job')} added, {found.removed:,} removed, {found.kept:,} kept"
    states = ((found.reused, "reused"), (found.collect, "to collect"), (found.unknown, "unknown"))
    parts = [f"{n:,} {word}" for n, word in states if n]
    cost = f"{count(found.new, 'job')}, {price(found.price)}" if found.new else "nothing"
    pairs = (
        ("changed", jobs),
        ("to buy", ", ".join((cost, *parts))),
        ("values", _changes(found.values)),
        ("images", _changes(found.images)),
        ("note", escape.terminal(found.note)),
    )
    return "\n".join(facts(pairs, columns))


def _changes(found: Sequence[Change]) -> str:
    """The first few; `+6 -2 light_direction=left`."""
    shown = [
        " ".join(
            (
                *([f"+{c.added:,}"] if c.added else []),
                *([f"-{c.removed:,}"] if c.removed else []),
                escape.terminal(c.name),
            )
        )
        for c in found[:_CHANGES]
    ]
    hidden = len(found) - len(shown)
    return "; ".join((*shown, *([f"and {hidden:,} more"] if hidden else [])))


def _store(plan_status: PlanStatus) -> str:
    """What the shared store is good for; empty where there is none, or it has nothing."""
    if plan_status.store_fault:
        fault = escape.terminal(plan_status.store_fault)
        return f"could not be read, so a run would buy nothing: {fault}"
    return f"{count(plan_status.shared, 'job')} adopted from it" if plan_status.shared else ""


def restored(found: Restoration) -> str:
    """What is new to the ledger; empty where nothing is."""
    return f"{found}: the ledger does not know them yet, a run restores them first" if found else ""


def cap(estimate: CostEstimate) -> str:
    """The cap in force and what it means for this plan; empty where nothing is paid for."""
    if not estimate.paid:
        return ""
    if not estimate.limits:
        return "none; a paid run needs one: --max-cost USD or --budget USD/WINDOW"
    said = "; ".join(map(_limit, estimate.limits))
    if estimate.price is None:
        return said
    return f"{said}: {'enough' if estimate.enough else 'NOT enough for the whole plan'}"


def _limit(status: LimitStatus) -> str:
    limit = status.limit
    said = money(limit.amount) + (f" in {span(limit.window)}" if limit.window else "")
    said += f" ({limit.source})"
    return f"{said}, {money(status.committed)} of it used" if status.committed else said


def jobs(found: Plan, planned: Iterable[PlannedOutput], columns: int | None) -> Iterator[str]:
    """One line an output, in plan order; only the widths are held in memory.

    `columns`: of the terminal, where long names are shortened; None: nothing is.
    """
    axes = found.axes
    repeats = found.repeat > 1
    head = ("job", *axes, *(("repeat",) if repeats else ()), "action", "image", "file")
    actions = max(len(action) for action in OutputAction)
    widths = [SHORT, *_axis_widths(found), *((len("repeat"),) if repeats else ()), actions]
    taken = sum(widths) + len(table.GAP) * len(widths)
    names = max((escape.width(escape.terminal(i.name)) for i in found.images), default=0)
    room = names if columns is None else min(names, max((columns - taken) // 2, 12))
    widths += [
        max(room, len("image")),
        _LONGEST if columns is None else max(columns - taken - room - 2, 12),
    ]
    body = (
        (
            output.job.id,
            *(_text(output.cell.get(axis)) for axis in axes),
            *((str(output.repeat + 1),) if repeats else ()),
            one.action,
            escape.terminal(output.image.name),
            escape.terminal(f"{one.path} ({one.reason})" if one.reason else one.path),
        )
        for one in planned
        for output in (one.output,)
    )
    return table.rows(tuple(map(escape.terminal, head)), body, widths)


def _time(found: TimeEstimate | None, paid: bool) -> str:
    """How long the calls take, and how that is known."""
    if found is None:
        return ""
    if found.seconds is None or found.call is None:
        least = (
            f"at least {duration(found.seconds)} (limits.rate)" if found.seconds else "not known"
        )
        return f"{least}: this model was not called here yet"
    if found.by_rate:
        return f"about {duration(found.seconds)} (limits.rate)"
    each, calls = duration(found.call.seconds), found.call.calls
    source = f"the median of the last {count(calls, 'call')}" if calls else "its typical time"
    more = ", longer if the provider limits the rate" if paid else ""
    return f"about {duration(found.seconds)}{more} ({found.concurrency:,} at a time, {each} each: {source})"


def _axis_widths(found: Plan) -> list[int]:
    """In one pass, because cells may be worked out one at a time."""
    texts: list[set[object]] = [{axis} for axis in found.axes]
    for cell in found.cells:
        for seen, axis in zip(texts, found.axes, strict=True):
            seen.add(cell.get(axis))
    return [max(escape.width(_text(value)) for value in seen) for seen in texts]


def _headline(found: Plan, plan_status: PlanStatus, estimate: CostEstimate) -> str:
    if not found.outputs_count:
        return "no image found; nothing to make" if not found.images else (
            "nothing selected; nothing to make"
        )  # fmt: skip
    if not plan_status.work and not estimate.calls:
        if plan_status.done == plan_status.jobs:
            return f"all {count(plan_status.jobs, 'job')} are done; nothing to make"
        return "nothing to do; some jobs are held"
    parts = []
    if estimate.calls:
        parts.append(f"{count(estimate.calls, 'job')} to make, {price(estimate.price)}")
    if plan_status.shared:
        parts.append(f"{plan_status.shared:,} from the shared store")
    if plan_status.collect:
        parts.append(f"{plan_status.collect:,} to collect")
    return "; ".join(parts)


def _images(found: Plan) -> str:
    text = f"{len(found.images):,}"
    if found.rejected:
        skipped = " and are left out" if found.recipe.limits.on_reject == "skip" else ""
        text += f", {len(found.rejected):,} more cannot be used{skipped}"
    left = passed_over(found.passed_over)
    return f"{text}; {left}" if left else text


def _cells(found: Plan) -> str:
    text = f"{len(found.cells):,}"
    if found.axes:
        text += f" ({' × '.join(map(escape.terminal, found.axes))})"
    return f"{text}, {found.repeat} times each" if found.repeat > 1 else text


def _jobs(found: Plan, plan_status: PlanStatus) -> str:
    if not found.jobs_count:
        return "0"
    job_state = (
        (plan_status.done, "done"),
        (plan_status.shared, "in the shared store"),
        (plan_status.new, "new"),
        (plan_status.collect, "to collect"),
        (plan_status.unknown, "unknown"),
        (plan_status.held_failed, "paid and failed"),
    )
    parts = [(n, word) for n, word in job_state if n]
    text = f"{found.jobs_count:,}"
    if len(parts) == 1:
        text += f", all {parts[0][1]}" if found.jobs_count > 1 else f", {parts[0][1]}"
    else:
        text += ": " + ", ".join(f"{n:,} {word}" for n, word in parts)
    shared = found.outputs_count - found.jobs_count
    if shared:
        text += f"; {count(found.outputs_count, 'output')}, duplicates are made once"
    if found.limit is not None:
        text += f"; --limit {found.limit}"
    return text


def _sends(plan_status: PlanStatus) -> str:
    return escape.terminal("; ".join(plan_status.disclosures))


def _held(number: int) -> str:
    return f"{number:,} (paid, no image received; not repeated automatically)" if number else ""


def _unknown(found: Plan, plan_status: PlanStatus) -> str:
    if not plan_status.unknown:
        return ""
    again = found.recipe.limits.on_unknown == "resubmit"
    held = "submitted again within the limits (limits.on_unknown)" if again else "held"
    return f"{plan_status.unknown:,} (may have been billed, {money(plan_status.unknown_price)}; {held})"


def _backends(found: Plan, estimate: CostEstimate) -> Iterator[tuple[str, str]]:
    """A line for each backend: what it costs a job, and of several also how many and in all."""
    if not found.recipe.more_backends:
        yield "backend", _backend(found.recipe.backend)
        return
    for spec, one in zip(found.recipe.backends, estimate.backends, strict=True):
        name = f"{spec.label}: " if spec.label not in ("", spec.type) else ""
        calls = f"{one.calls:,} to make" if one.calls else "nothing to make"
        paid = one.calls and not (one.price and one.price.free)
        cost = f", {price(one.price)}" if paid else ""
        share = f"; at most {_limit(one.share)}" if one.share else ""
        yield "backend", escape.terminal(f"{name}{_backend(spec)}: {calls}{cost}{share}")


def _backend(backend: BackendSpec) -> str:
    model = f", {backend.model.name}" if backend.model.name != backend.type else ""
    if backend.model.price is None:
        cost = ", price unknown"
    elif backend.model.price.free:
        cost = ""
    else:
        size = backend.model.by_size
        unit = f" ({price(size.unit)} per megapixel)" if size else ""
        cost = f", {price(backend.model.price)} per job{unit}"
    return escape.terminal(f"{backend.type}{model}{cost}")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else escape.terminal(str(value))


def together(estimates: Sequence[CostEstimate]) -> str:
    """What several recipes cost, of which one goes on from what another makes."""
    calls = sum(estimate.calls for estimate in estimates)
    prices = [estimate.price for estimate in estimates]
    known = [one for one in prices if one is not None]
    total = Price(sum(one.low for one in known), sum(one.high for one in known))
    return f"together: {count(calls, 'job')} to make, {price(total if len(known) == len(prices) else None)}"
