from __future__ import annotations

from dataclasses import dataclass

import pytest

from relightflow.errors import AccountError
from relightflow.model.catalog import Price
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.plugins.backend import Balance
from relightflow.run import balance
from relightflow.run.balance import check_balance, shortfall
from relightflow.run.limits.account import Account
from relightflow.run.limits.budget import Budget
from relightflow.run.plan_status import NO_STORE
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
    return await check_balance(
        bank, plan, plan.recipe.backend, stage.state_dir, budget, said.append
    ), said


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


async def test_models_of_one_backend_need_what_all_of_them_cost(stage: Stage) -> None:
    stage.recipe([0, 1])
    text, both = stage.path.read_text(), "[{type: studio}, {type: studio, model: dear, as: dear}]"
    stage.path.write_text(text.replace("{type: studio, model: glow}", both))
    text = stage.path.read_text().replace("{shade}", "{shade}-{backend}")
    stage.path.write_text(text)
    budget = Budget(model=("studio", "glow"))
    Budget(model=("studio", "dear"), beside=budget, share=Account(SpendLimit(3 * PRICE, "share")))
    assert await _asked(stage, Bank(5 * PRICE), budget) == (5 * PRICE, [])
    _, said = await _asked(stage, Bank(5 * PRICE - 1), budget)
    assert said[0].startswith(
        "the account of studio, dear has 0.249999 USD, and this run needs 0.25"
    )


async def test_a_refused_key_stops_the_run_and_anything_else_does_not(stage: Stage) -> None:
    with pytest.raises(AccountError, match="the bank says no"):
        await _asked(stage, Bank(problem=FailureKind.ACCOUNT), Budget())
    assert await _asked(stage, Bank(problem=FailureKind.UNSENT), Budget()) == (None, [])


def _short(stage: Stage, budget: Budget, collect_only: bool = False) -> str:
    options = RunOptions(collect_only=collect_only)
    return shortfall(stage.plan(), stage.state_dir, options, [budget], lambda: NO_STORE)


def _under(amount: int, spent: int = 0) -> Budget:
    limit = SpendLimit(amount, "--max-cost")
    return Budget(Price(PRICE, PRICE), (Account(limit, spent=spent),))


def test_a_limit_that_ends_the_run_early_is_told(stage: Stage) -> None:
    stage.recipe([0, 1, 2])
    assert _short(stage, _under(2 * PRICE)) == (
        "what is still to be bought costs up to 0.15 USD, and the cap of 0.10 USD (--max-cost) is less:"
        " the run will buy about 2 of 3 and end with exit code 7"
    )
    assert "0.10 USD of the cap of 0.20 USD" in _short(stage, _under(4 * PRICE, 2 * PRICE))


def test_a_limit_that_holds_what_is_left_is_not_worth_a_word(stage: Stage) -> None:
    stage.recipe([0])
    stage.run()
    stage.recipe([0, 1])
    assert _short(stage, _under(2 * PRICE, PRICE)) == ""
    assert _short(stage, _under(0), collect_only=True) == ""


async def test_jobs_are_counted_only_where_the_whole_price_settles_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.recipe([0, 1])

    def counted(*_: object) -> None:
        raise AssertionError("went through the plan")

    monkeypatch.setattr(balance, "plan_status", counted)
    assert _short(stage, _under(2 * PRICE)) == ""
    assert await _asked(stage, Bank(2 * PRICE), Budget()) == (2 * PRICE, [])
