"""What a run would cost, and whether a person has to agree to it. Pure: whoever calls asks and prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum

from relightflow.model.catalog import FREE, Price
from relightflow.model.cost_estimate import BackendEstimate, CostEstimate, LimitStatus
from relightflow.model.money import Micros
from relightflow.model.plan import Plan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.recipe import BackendSpec
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.spend import NOTHING_TO_BUY

CONFIRMED = "confirmed on the terminal"


class Consent(Enum):
    GIVEN = "given"
    """By a limit, or because nothing is paid for."""
    NEEDED = "needed"
    """A person must say yes, or set a limit."""
    NO_PRICE = "no price"
    """Nobody knows what the calls cost, so nothing may be sent."""


def estimate_cost(
    plan: Plan, plan_status: PlanStatus, run_options: RunOptions, budgets: Sequence[Budget]
) -> CostEstimate:
    """What a run would buy now: new jobs, and unknown ones where the recipe asks for them again. A call
    is priced at the highest cost ever seen, where that is above the price list. `budgets`: one for each of
    the recipe's backends."""
    budget, recipe = budgets[0], plan.recipe
    limits = tuple(
        LimitStatus(account.limit, account.limit.amount - budget.left_of(account))
        for account in sorted(budget.accounts_of_all, key=budget.left_of)
    )
    collecting = run_options.collect_only
    new_of = [0] * len(budgets) if collecting else plan_status.new_of or (plan_status.new,)
    each = [
        _of_backend(spec, new, run_options, own)
        for spec, new, own in zip(recipe.backends, new_of, budgets, strict=True)
    ]
    dearest = max(each, key=lambda one: (one.call is None, one.reserved))
    several = tuple(each) if recipe.more_backends else ()
    if collecting:
        nothing = Price(0, 0)
        return CostEstimate(0, nothing, limits, dearest.call, dearest.reserved, backends=several)
    again = plan_status.unknown if recipe.limits.on_unknown == "resubmit" else 0
    found = plan_status.price
    if found is None and all(one.call for one in each):
        found = sum((one.price for one in each if one.price), FREE)
    if found is not None:
        high = max(found.high, sum(one.reserved * one.calls for one in each))
        found = Price(found.low, high + (plan_status.unknown_price if again else 0))
    calls = plan_status.new + again
    return CostEstimate(calls, found, limits, dearest.call, dearest.reserved, backends=several)


def _of_backend(
    spec: BackendSpec, new: int, run_options: RunOptions, budget: Budget
) -> BackendEstimate:
    call = spec.model.price
    if call is None and run_options.price is not None:
        call = Price(run_options.price, run_options.price)
    price = call and Price(call.low * new, max(call.high, budget.highest) * new)
    share = None
    if own := budget.share:
        share = LimitStatus(own.limit, own.limit.amount - budget.left_of(own))
    return BackendEstimate(spec.name, new, price, call, budget.highest, share)


def consent(found: CostEstimate) -> Consent:
    """Whether the run may go on as it is."""
    if not found.paid:
        return Consent.GIVEN
    if found.price is None:
        return Consent.NO_PRICE
    return Consent.GIVEN if found.limits else Consent.NEEDED


def affordable(found: CostEstimate) -> int | None:
    """How many of the calls the limits hold; None: all of them."""
    if found.enough or found.price is None or not found.limits or not found.calls:
        return None
    return found.limits[0].left * found.calls // found.price.high


def confirmed(run_options: RunOptions, cap: Micros) -> RunOptions:
    """After a person has said yes to what the plan costs."""
    return replace(run_options, limits=(SpendLimit(cap, CONFIRMED),))


def unasked(run_options: RunOptions, free: bool) -> RunOptions:
    """Where nobody was asked for a limit, because there is nothing to buy. `free`: no call costs anything.

    Jobs under way may turn out to have failed, or never to have been taken. Making them again is a
    purchase, and nobody has agreed to one.
    """
    if run_options.limits or free:
        return run_options
    return replace(run_options, limits=(SpendLimit(0, NOTHING_TO_BUY),))
