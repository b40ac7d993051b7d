"""Asks what the account holds before the first call, so that nobody is surprised in mid-run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from relightflow.errors import AccountError
from relightflow.model.failure import CallFailed, FailureKind
from relightflow.model.money import Micros, dollars
from relightflow.model.plan import Plan
from relightflow.plugins.backend import HasBalance
from relightflow.run.limits.budget import Budget
from relightflow.run.plan_status import plan_status
from relightflow.store.state_dir import StateDir


async def check_balance(
    backend: HasBalance,
    plan: Plan,
    state_dir: StateDir,
    budget: Budget,
    notice: Callable[[str], None],
) -> Micros | None:
    """The balance, free of charge; a notice where it will not suffice. None: it was not to be had.

    Raises AccountError where the key is refused.
    """
    try:
        balance = await backend.balance()
    except CallFailed as error:
        if error.failure.kind is FailureKind.ACCOUNT:
            raise AccountError(error.failure.message) from error
        return None
    held = balance.credits + balance.free_credits
    job_state = await asyncio.to_thread(plan_status, plan, state_dir)
    needed = job_state.price.low if job_state.price else 0
    if budget.left is not None:
        needed = min(needed, budget.left)
    if held < needed:
        notice(
            f"the account has {dollars(held)} USD, and this run needs {dollars(needed)} USD: it "
            "will stop when the credits are used up"
        )
    return held
