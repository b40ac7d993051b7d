"""Asks what the account holds before the first call, so that nobody is surprised in mid-run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from relightflow.errors import AccountError
from relightflow.model.failure import CallFailed, Kind
from relightflow.model.money import Micros, dollars
from relightflow.model.plan import Plan
from relightflow.plugins.backend import HasBalance
from relightflow.run.budget import Budget
from relightflow.run.survey import survey
from relightflow.store.home import Home


async def check_balance(
    backend: HasBalance,
    plan: Plan,
    home: Home,
    budget: Budget,
    notice: Callable[[str], None],
) -> Micros | None:
    """The balance, free of charge; a notice where it will not suffice. None: it was not to be had.

    Raises AccountError where the key is refused.
    """
    try:
        balance = await backend.balance()
    except CallFailed as verdict:
        if verdict.failure.kind is Kind.ACCOUNT:
            raise AccountError(verdict.failure.message) from verdict
        return None
    held = balance.credits + balance.free_credits
    standing = await asyncio.to_thread(survey, plan, home)
    needed = standing.price.low if standing.price else 0
    if budget.left is not None:
        needed = min(needed, budget.left)
    if held < needed:
        notice(
            f"the account holds {dollars(held)} USD, and this run wants {dollars(needed)} USD: it "
            "will stop when the credits are used up"
        )
    return held
