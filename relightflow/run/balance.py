"""Says before the first call what will end the run early: an account or a limit that holds too little.

What is still to be bought is counted only where the price of the whole plan does not settle it: that
goes through every job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from relightflow.errors import AccountError
from relightflow.model.cost_estimate import LimitStatus
from relightflow.model.failure import CallFailed, FailureKind
from relightflow.model.money import Micros, dollars
from relightflow.model.plan import Plan
from relightflow.model.recipe import BackendSpec
from relightflow.model.run_options import RunOptions
from relightflow.plugins.backend import HasBalance
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.consent import affordable, estimate_cost
from relightflow.run.plan_status import plan_status
from relightflow.run.shared.foresee import StoreView
from relightflow.store.state_dir import StateDir


async def check_balance(
    backend: HasBalance,
    plan: Plan,
    spec: BackendSpec,
    state_dir: StateDir,
    budget: Budget,
    notice: Callable[[str], None],
) -> Micros | None:
    """The balance, free of charge; a notice where it will not suffice for the jobs of `spec` and of the
    other models of its backend, which have the same account. None: it was not to be had.

    Raises AccountError where the key is refused.
    """
    try:
        balance = await backend.balance()
    except CallFailed as error:
        if error.failure.kind is FailureKind.ACCOUNT:
            raise AccountError(error.failure.message) from error
        return None
    held = balance.credits + balance.free_credits
    backends = plan.recipe.backends
    same = [number for number, one in enumerate(backends) if one.type == spec.type]

    def needed_for(jobs: Sequence[int]) -> Micros:
        costs = (_cost(backends[n], jobs[n], budget.of(*backends[n].pair)) for n in same)
        tight = budget.tightest_of_all
        return min(sum(costs), max(0, budget.left_of(tight))) if tight else sum(costs)

    if held >= needed_for(plan.jobs_of or (plan.jobs_count,)):
        return held
    job_state = await asyncio.to_thread(plan_status, plan, state_dir)
    needed = needed_for(job_state.new_of or (job_state.new,))
    if held < needed:
        names = ", ".join(backends[number].name for number in same)
        whose = f" of {names}" if plan.recipe.more_backends else ""
        notice(
            f"the account{whose} has {dollars(held)} USD, and this run needs {dollars(needed)} USD: it "
            "will stop when the credits are used up"
        )
    return held


def _cost(spec: BackendSpec, jobs: int, budget: Budget) -> Micros:
    """What so many jobs of one model cost at least, within its own limit."""
    cost = spec.model.price.low * jobs if spec.model.price else 0
    return min(cost, max(0, budget.left_of(budget.share))) if budget.share else cost


def shortfall(
    plan: Plan,
    state_dir: StateDir,
    run_options: RunOptions,
    budgets: Sequence[Budget],
    open_view: Callable[[], StoreView],
) -> str:
    """What to say where a limit ends the run before the plan is complete; empty: all of it fits. Blocks.

    `budgets`: one for each of the recipe's backends. `open_view`: of the shared store.
    """
    budget = budgets[0]
    tightest = budget.tightest_of_all
    if tightest is None or run_options.collect_only or not any(b.planned for b in budgets):
        return ""
    counts = plan.jobs_of or (plan.jobs_count,)
    at_highest = sum(n * b.highest for n, b in zip(counts, budgets, strict=True))
    dearest = max(at_highest, plan.price.high if plan.price else 0)
    again = plan.recipe.limits.on_unknown == "resubmit"
    if not again and dearest <= budget.left_of(tightest):
        return ""
    status = plan_status(plan, state_dir, open_view())
    found = estimate_cost(plan, status, run_options, budgets)
    calls = affordable(found)
    if calls is None or found.price is None or status.store_fault:
        return ""
    return (
        f"what is still to be bought costs up to {dollars(found.price.high)} USD, and "
        f"{_left(found.limits[0])}: the run will buy about {calls:,} of {found.calls:,} and end with "
        "exit code 7"
    )


def _left(status: LimitStatus) -> str:
    word = "cap" if status.limit.window is None else "budget"
    of = f"the {word} of {dollars(status.limit.amount)} USD ({status.limit.source})"
    return f"{dollars(status.left)} USD of {of} are left" if status.committed else f"{of} is less"
