from dataclasses import replace
from pathlib import Path

from relightflow.model.catalog import FREE, Model, Price
from relightflow.model.cost_estimate import CostEstimate, LimitStatus
from relightflow.model.plan import Plan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.recipe import BackendSpec, Limits, Recipe
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.model.values import FrozenMap
from relightflow.run.limits.account import Account
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.consent import (
    CONFIRMED,
    Consent,
    affordable,
    confirmed,
    consent,
    estimate_cost,
    unasked,
)

PRICE = Price(1_000_000, 1_600_000)
CALL = Price(50_000, 50_000)
SURVEY = PlanStatus(40, 8, 32, 0, 2, 0, PRICE, 100_000)
CAP = SpendLimit(1_200_000, "limits.max_cost")


def plan(limits: Limits | None = None) -> Plan:
    backend = BackendSpec("studio", Model("glow", (), CALL), FrozenMap())
    recipe = Recipe("spring", Path("r.yaml"), "0" * 64, (), backend, limits=limits or Limits())
    return Plan(recipe, (), (), (), (), 1, None, (), 40, 40, PRICE)


def test_an_estimate_counts_new_jobs_only() -> None:
    assert estimate_cost(plan(), SURVEY, RunOptions(), [Budget(CALL)]) == CostEstimate(
        32, PRICE, call=CALL, reserved=CALL.high
    )


def test_unknown_jobs_count_where_the_recipe_asks_for_them_again() -> None:
    again = plan(Limits(on_unknown="resubmit"))
    found = estimate_cost(again, SURVEY, RunOptions(), [Budget(CALL)])
    assert (found.calls, found.price) == (34, Price(1_000_000, 1_700_000))


def test_collecting_only_costs_nothing() -> None:
    found = estimate_cost(plan(), SURVEY, RunOptions(collect_only=True), [Budget(CALL)])
    assert (found.calls, found.paid) == (0, False)


def test_the_operator_s_price_stands_in_for_an_unknown_one() -> None:
    options = RunOptions(price=70_000)
    unknown = plan()
    spec = unknown.recipe.backend
    spec = replace(spec, model=replace(spec.model, price=None))
    unknown = replace(unknown, recipe=replace(unknown.recipe, backend=spec))
    budgets = [Budget(Price(0, 70_000))]
    found = estimate_cost(unknown, replace(SURVEY, price=None), options, budgets)
    assert found.price == Price(2_240_000, 2_240_000)


def test_a_call_is_priced_at_the_highest_cost_seen() -> None:
    found = estimate_cost(plan(), SURVEY, RunOptions(), [Budget(CALL, highest=75_000)])
    assert found.price == Price(1_000_000, 32 * 75_000)


def test_the_limit_with_the_least_left_comes_first() -> None:
    budget = Budget(CALL, [Account(CAP), Account(SpendLimit(9, "--budget", 60), spent=5)])
    found = estimate_cost(plan(), SURVEY, RunOptions(), [budget])
    assert [status.left for status in found.limits] == [4, 1_200_000]
    assert not found.enough


def test_what_is_free_or_in_place_needs_no_consent() -> None:
    assert consent(CostEstimate(32, FREE)) is Consent.GIVEN
    assert consent(CostEstimate(0, PRICE)) is Consent.GIVEN


def test_a_limit_is_consent_even_where_it_is_too_low() -> None:
    assert consent(CostEstimate(32, PRICE, (LimitStatus(CAP, 0),))) is Consent.GIVEN


def test_without_a_limit_a_person_must_agree_and_an_unknown_price_is_refused() -> None:
    assert consent(CostEstimate(32, PRICE)) is Consent.NEEDED
    assert consent(CostEstimate(32, None)) is Consent.NO_PRICE
    assert consent(CostEstimate(32, None, (LimitStatus(CAP, 0),))) is Consent.NO_PRICE


def test_yes_makes_the_shown_total_the_cap() -> None:
    assert confirmed(RunOptions(), 5).limits == (SpendLimit(5, CONFIRMED),)


def test_where_nobody_was_asked_for_a_cap_nothing_is_bought() -> None:
    assert unasked(RunOptions(), free=False).limits[0].amount == 0
    assert unasked(RunOptions((CAP,)), free=False) == RunOptions((CAP,))
    assert unasked(RunOptions(), free=True) == RunOptions()


def test_how_many_calls_a_limit_holds() -> None:
    whole = Price(1_600_000, 1_600_000)
    assert affordable(CostEstimate(32, whole, (LimitStatus(CAP, 200_000),))) == 20
    assert affordable(CostEstimate(24, Price(0, 1_200_000), (LimitStatus(CAP, 0),))) is None
