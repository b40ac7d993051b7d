"""Outcomes, deliveries and books of one run → its Summary."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime

from relightflow.deliver.run_folder import MANIFEST
from relightflow.deliver.stream import DeliveryContext
from relightflow.errors import Exit
from relightflow.ledger.reader import open_reader
from relightflow.model.evidence import Needs
from relightflow.model.plan import Plan
from relightflow.model.run_options import RunOptions
from relightflow.model.summary import Counts, Issue, Money, Summary
from relightflow.run.engine import Engine
from relightflow.run.issues import IssueLog


def summarize(
    plan: Plan,
    engine: Engine,
    delivery: DeliveryContext,
    issues: IssueLog,
    run_options: RunOptions,
    manifest: str,
    notices: tuple[str, ...] = (),
) -> Summary:
    """What the run came to. `manifest`: path of the run's own."""
    for issue in (*engine.shutdown.issues, *delivery.counts.failed.values()):
        issues.issue(issue)
    for item in plan.rejected:
        if item.refused or plan.recipe.limits.on_reject == "fail":
            issues.rejected(item)
    if delivery.counts.edited_count:
        issues.issue(_edited(delivery))
    counts = _counts(plan, engine, delivery, issues)
    if counts.not_started and not run_options.collect_only and not engine.shutdown.issues:
        issues.issue(_left_out(counts.not_started))
    if counts.pending and (deadlines := _deadlines(engine)):
        issues.issue(_deleted_soon(deadlines))
    if counts.not_started and run_options.missing is not Exit.OK:
        issues.issue(_missing(counts.not_started, run_options.missing))
    return Summary(
        run_id=engine.context.run_id,
        recipe=plan.recipe.name,
        backend=plan.recipe.backend_names,
        model=plan.recipe.model_names,
        counts=counts,
        money=_money(engine),
        issues=issues.all(),
        seconds=engine.counters.seconds,
        manifest=manifest,
        delivered_manifest=_beside_the_images(delivery),
        locations=tuple(target.sink.location for target in delivery.targets),
        calls=engine.counters.calls,
        retries=engine.counters.retries,
        rehearsed=plan.recipe.rehearsed,
        notices=notices,
        plan_sha256=run_options.plan_sha256,
        passed_over=plan.passed_over,
        next_command=_next_command(plan, issues),
        shard=str(plan.shard or ""),
    )


def _left_out(jobs: int) -> Issue:
    """Nothing stopped the run and yet these are not made: the provider's records have shown, at its
    end, that calls which were in doubt had never been taken."""
    return Issue(
        Exit.EARLY,
        "calls with unknown outcome turned out not to have been accepted (not billed); run again "
        "to make what is missing",
        count=jobs,
    )


def _deadlines(engine: Engine) -> list[float]:
    """When results that wait at a provider are deleted there, of those that say so."""
    with open_reader(engine.ledger.path) as reader:
        return [at for one in reader.open_attempts() if (at := one.collect_by) is not None]


def _deleted_soon(deadlines: list[float]) -> Issue:
    first = datetime.fromtimestamp(min(deadlines), UTC)
    words = (
        f"accepted, and deleted by the provider from {first:%Y-%m-%d %H:%M} UTC on: run again before that "
        "to collect what was paid for"
    )
    return Issue(Exit.EARLY, words, count=len(deadlines))


def _missing(jobs: int, code: Exit) -> Issue:
    return Issue(code, "no result here yet; nothing was bought", count=jobs)


def _edited(delivery: DeliveryContext) -> Issue:
    return Issue(
        Exit.JOBS_FAILED,
        "kept, because its content is not what was delivered here: it was edited, or written by "
        "a run with another state. 'relightflow keep' accepts it, --overwrite replaces it",
        tuple(delivery.counts.edited),
        delivery.counts.edited_count,
    )


def _counts(
    plan: Plan,
    engine: Engine,
    delivery: DeliveryContext,
    issues: IssueLog,
) -> Counts:
    statuses = issues.statuses
    # the ledger's word for each job once, so that the parts add up to the whole
    made = min(engine.counters.made, statuses["done"])
    return Counts(
        jobs=plan.jobs_count,
        made=made,
        reused=statuses["done"] - made,
        failed=statuses["failed"],
        unknown=statuses["unknown"],
        pending=statuses["pending"],
        not_started=statuses["missing"],
        rejected=len(plan.rejected),
        delivered=delivery.counts.written,
        kept_edits=delivery.counts.edited_count,
        planned=plan.described.jobs_count,
        failed_checks=issues.failed_checks,
    )


def _beside_the_images(delivery: DeliveryContext) -> str:
    failing = {location for location, _ in delivery.counts.failed}
    for target in delivery.targets:
        location = target.sink.location
        if target.layout == "files" and location not in failing:
            return f"{location.rstrip('/')}/{MANIFEST}"
    return ""


def _money(engine: Engine) -> Money:
    tightest = engine.budget.tightest_of_all
    own = nullcontext(engine.states) if engine.states else open_reader(engine.ledger.path)
    with own as reader:
        held = reader.money()
    return Money(
        spent=engine.counters.spent,
        in_flight=held.in_flight,
        unknown=held.unknown,
        cap=tightest.limit.amount if tightest else None,
        cap_source=tightest.limit.source if tightest else "",
        window=tightest.limit.window if tightest else None,
        balance=engine.counters.balance,
    )


def _next_command(plan: Plan, issues: IssueLog) -> str:
    """What to type to go on."""
    codes = {issue.exit for issue in issues.all()}
    if codes & {Exit.EARLY, Exit.INTERRUPTED, Exit.TERMINATED, Exit.STORAGE}:
        return f"relightflow run {plan.recipe.path.name}"
    if Exit.UNKNOWN not in codes:
        return ""
    if issues.needs and issues.needs <= {Needs.TIME}:
        return f"relightflow run {plan.recipe.path.name} --wait"
    return "relightflow resolve"
