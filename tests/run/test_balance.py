from __future__ import annotations

from dataclasses import dataclass

import pytest

from relightflow.errors import AccountError
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.spending import SpendLimit
from relightflow.plugins.backend import Balance
from relightflow.run.balance import check_balance
from relightflow.run.limits.budget import Account, Budget
from tests.conftest import Stage
from tests.scripted_backend import PRICE


@dataclass
class Bank:
    """A backend that is only asked for its balance."""

    credits: int = 0
    free: int = 0
    problem: FailureKind | None = None

    async def balance(self) -> Balance:
        if self.problem:
            raise CallFailed(Failure(self.problem, "the bank says no"))
        return Balance(self.credits, self.free)


async def _asked(stage: Stage, bank: Bank, budget: Budget) -> tuple[int | None, list[str]]:
    said: list[str] = []
    plan = stage.plan()
    return await check_balance(bank, plan, stage.state_dir, budget, said.append), said


@pytest.mark.parametrize(("paid", "free"), [(2 * PRICE, 0), (PRICE, PRICE), (0, 3 * PRICE)])
async def test_free_credits_are_credits(stage: Stage, paid: int, free: int) -> None:
    stage.recipe([0, 1])
    held, said = await _asked(stage, Bank(paid, free), Budget())
    assert (held, said) == (paid + free, [])


async def test_too_little_for_the_new_jobs_is_told_before_the_first_call(stage: Stage) -> None:
    stage.recipe([0, 1])
    _, said = await _asked(stage, Bank(2 * PRICE - 1), Budget())
    (notice,) = said
    assert notice.startswith("the account has 0.099999 USD, and this run needs 0.10 USD")


async def test_no_more_is_needed_than_the_limits_let_go(stage: Stage) -> None:
    stage.recipe([0, 1])
    budget = Budget(accounts=(Account(SpendLimit(PRICE, "--max-cost")),))
    assert await _asked(stage, Bank(PRICE), budget) == (PRICE, [])


async def test_a_refused_key_stops_the_run_and_anything_else_does_not(stage: Stage) -> None:
    with pytest.raises(AccountError, match="the bank says no"):
        await _asked(stage, Bank(problem=FailureKind.ACCOUNT), Budget())
    assert await _asked(stage, Bank(problem=FailureKind.UNSENT), Budget()) == (None, [])
