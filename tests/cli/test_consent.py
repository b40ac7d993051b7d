from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.cli.consent import Question, agreed, consent, estimate_cost, shortfall, unasked
from relightflow.errors import BudgetError, UsageError
from relightflow.model.catalog import FREE, Model, Price
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.plan import Plan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.recipe import BackendSpec, Limits, Recipe
from relightflow.model.run_options import RunOptions
from relightflow.model.values import FrozenMap

PRICE = Price(1_000_000, 1_600_000)
SURVEY = PlanStatus(40, 8, 32, 0, 2, 0, PRICE, 100_000)
TYPED = ("relightflow", "run", "my recipe.yaml")


def plan(limits: Limits | None = None) -> Plan:
    backend = BackendSpec("studio", Model("glow", (), Price(50_000, 50_000)), FrozenMap())
    recipe = Recipe("spring", Path("r.yaml"), "0" * 64, (), backend, limits=limits or Limits())
    return Plan(recipe, (), (), (), (), 1, None, (), 40, 40, PRICE)


def test_a_forecast_counts_new_jobs_only() -> None:
    assert estimate_cost(plan(), SURVEY, RunOptions(), 5) == CostEstimate(32, PRICE, 5)


def test_unknown_jobs_count_where_the_recipe_asks_for_them_again() -> None:
    found = estimate_cost(plan(Limits(on_unknown="resubmit")), SURVEY, RunOptions(), 0)
    assert (found.calls, found.price) == (34, Price(1_000_000, 1_700_000))


def test_collecting_only_costs_nothing() -> None:
    found = estimate_cost(plan(), SURVEY, RunOptions(collect_only=True), 0)
    assert (found.calls, found.paid) == (0, False)


def test_the_operator_s_price_stands_in_for_an_unknown_one() -> None:
    found = estimate_cost(plan(), replace(SURVEY, price=None), RunOptions(price=70_000), 0)
    assert found.price == Price(2_240_000, 2_240_000)


def test_what_is_free_needs_no_consent() -> None:
    assert consent(CostEstimate(32, FREE, 0), "spring", False, TYPED) is None


def test_nothing_to_buy_needs_no_consent() -> None:
    assert consent(CostEstimate(0, PRICE, 0), "spring", False, TYPED) is None


def test_a_cap_is_consent_even_where_it_is_too_low() -> None:
    assert consent(CostEstimate(32, PRICE, 0, 1, "--max-cost"), "spring", False, TYPED) is None


def test_a_person_is_asked_with_the_price_and_yes_makes_the_highest_total_the_cap() -> None:
    question = consent(CostEstimate(32, PRICE, 0), "spring", True, TYPED)
    assert question == Question("spring: buy 32 jobs for 1.00 to 1.60 USD?", 1_600_000)
    assert question is not None
    assert agreed(RunOptions(), question) == RunOptions(
        cap=1_600_000, cap_source="confirmed on the terminal"
    )


def test_where_nobody_was_asked_for_a_cap_nothing_is_bought() -> None:
    assert unasked(RunOptions(), PRICE).cap == 0
    assert unasked(RunOptions(), None).cap == 0
    assert unasked(RunOptions(cap=5), PRICE) == RunOptions(cap=5)
    assert unasked(RunOptions(), FREE) == RunOptions()


def test_what_is_committed_already_is_part_of_the_total() -> None:
    question = consent(CostEstimate(32, PRICE, 400_000), "spring", True, TYPED)
    assert question is not None
    assert question.cap == 2_000_000


def test_nobody_to_ask_is_a_refusal_with_the_command_to_type() -> None:
    with pytest.raises(BudgetError) as refused:
        consent(CostEstimate(32, PRICE, 0), "spring", False, TYPED)
    assert "32 jobs for 1.00 to 1.60 USD" in str(refused.value)
    assert str(refused.value).endswith("\n  relightflow run 'my recipe.yaml' --max-cost 1.60")


def test_a_large_total_is_typed_without_a_thousands_mark() -> None:
    with pytest.raises(BudgetError, match=r"--max-cost 12800\.00$"):
        consent(CostEstimate(1, Price(0, 12_800_000_000), 0), "spring", False, TYPED)


@pytest.mark.parametrize("can_ask", [True, False])
def test_an_unknown_price_is_refused_until_somebody_says_one(can_ask: bool) -> None:
    with pytest.raises(UsageError, match=r"--price USD$"):
        consent(CostEstimate(32, None, 0, 1_000_000, "--max-cost"), "spring", can_ask, TYPED)


def test_a_plan_dearer_than_the_cap_is_said_to_be_so() -> None:
    dear = CostEstimate(32, Price(1_600_000, 1_600_000), 200_000, 1_200_000, "limits.max_cost")
    assert shortfall(dear, "spring") == (
        "spring: the plan costs 1.60 USD and the cap is 1.20 USD (limits.max_cost, 0.20 USD of "
        "it used). It will buy about 20 of 32 jobs and end with exit code 7"
    )


def test_a_cap_that_suffices_needs_no_warning() -> None:
    assert shortfall(CostEstimate(32, PRICE, 0, 1_600_000, "--max-cost"), "spring") is None
