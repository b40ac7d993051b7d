"""Outcomes, deliveries and books of one run → its Summary."""

from __future__ import annotations

from relightflow.deliver.complete import Completion
from relightflow.deliver.stream import Desk
from relightflow.errors import Exit
from relightflow.ledger.reader import reading
from relightflow.model.plan import Plan
from relightflow.model.summary import Counts, Money, Summary, Trouble
from relightflow.model.terms import Terms
from relightflow.report.troubles import Troubles
from relightflow.run.bench import Bench


def summarise(
    plan: Plan,
    bench: Bench,
    desk: Desk,
    completion: Completion,
    troubles: Troubles,
    terms: Terms,
    manifest: str,
) -> Summary:
    """What the run came to. `manifest`: path of the run's own."""
    for trouble in (*bench.brake.troubles, *desk.tally.failed.values()):
        troubles.trouble(trouble)
    for item in plan.rejected:
        troubles.rejected(item)
    if desk.tally.edited_count:
        troubles.trouble(_edited(desk))
    counts = _counts(plan, bench, desk, completion)
    if counts.not_started and not terms.collect_only and not bench.brake.troubles:
        troubles.trouble(_left_out(counts.not_started))
    return Summary(
        run_id=bench.run_id,
        recipe=plan.recipe.name,
        backend=plan.recipe.backend.type,
        model=plan.recipe.backend.model.name,
        counts=counts,
        money=_money(bench, terms),
        troubles=troubles.all(),
        seconds=bench.board.seconds,
        manifest=manifest,
        places=tuple(place.sink.place for place in desk.places),
        calls=bench.board.calls,
        retries=bench.board.retries,
        next_command=_next_command(plan, troubles),
    )


def _left_out(jobs: int) -> Trouble:
    """Nothing stopped the run and yet these are not made: the provider's records have shown, at its
    end, that calls which were in doubt had never been taken."""
    return Trouble(
        Exit.EARLY,
        "calls that were in doubt turned out not to have been taken (not billed); run again to make "
        "what is missing",
        count=jobs,
    )


def _edited(desk: Desk) -> Trouble:
    return Trouble(
        Exit.JOBS_FAILED,
        "kept as it is, because it is not what was delivered here: somebody edited it, or a run with "
        "another state wrote it; --overwrite replaces it",
        tuple(desk.tally.edited),
        desk.tally.edited_count,
    )


def _counts(plan: Plan, bench: Bench, desk: Desk, completion: Completion) -> Counts:
    found = completion.counts
    return Counts(
        jobs=plan.jobs_count,
        made=bench.board.made,
        reused=bench.board.reused,
        failed=found["failed"],
        unknown=found["unknown"],
        pending=found["pending"],
        not_started=found["missing"],
        rejected=len(plan.rejected),
        delivered=desk.tally.written,
        kept_edits=desk.tally.edited_count,
    )


def _money(bench: Bench, terms: Terms) -> Money:
    with reading(bench.ledger_path) as reader:
        held = reader.money()
    return Money(
        spent=bench.board.spent,
        in_flight=held.in_flight,
        unknown=held.unknown,
        cap=terms.cap,
        cap_source=terms.cap_source,
        balance=bench.board.balance,
    )


def _next_command(plan: Plan, troubles: Troubles) -> str:
    """What to type to go on."""
    codes = {trouble.exit for trouble in troubles.all()}
    if codes & {Exit.EARLY, Exit.INTERRUPTED, Exit.TERMINATED, Exit.STORAGE}:
        return f"relightflow run {plan.recipe.path.name}"
    return "relightflow resolve" if Exit.UNKNOWN in codes else ""
