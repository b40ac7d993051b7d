"""Asks before money is spent: what a run would cost, which cap holds, and who said yes.

Pure: it decides from what it is handed, and says what to ask; the command does the asking.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from relightflow.errors import BudgetError, UsageError
from relightflow.model.catalog import Price
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.money import Micros, dollars
from relightflow.model.plan import Plan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.run_options import RunOptions
from relightflow.report.text import count, money, price


@dataclass(frozen=True, slots=True)
class Question:
    """Only a person can answer it; yes makes `cap` the cap."""

    text: str
    cap: Micros


def estimate_cost(
    plan: Plan, plan_status: PlanStatus, run_options: RunOptions, committed: Micros
) -> CostEstimate:
    """What a run would buy now: new jobs, and unknown ones where the recipe asks for them again."""
    if run_options.collect_only:
        return CostEstimate(0, Price(0, 0), committed, run_options.cap, run_options.cap_source)
    again = plan_status.unknown if plan.recipe.limits.on_unknown == "resubmit" else 0
    found = plan_status.price
    if found is None and run_options.price is not None:
        found = Price(run_options.price, run_options.price).times(plan_status.new)
    if found is not None and again:
        found = Price(found.low, found.high + plan_status.unknown_price)
    return CostEstimate(
        plan_status.new + again, found, committed, run_options.cap, run_options.cap_source
    )


def consent(
    found: CostEstimate, name: str, can_ask: bool, command: tuple[str, ...]
) -> Question | None:
    """None: go on. A question: a person must say yes. `command` is what was typed.

    Raises UsageError where the price is unknown, BudgetError where nobody can be asked for a cap.
    """
    if not found.paid:
        return None
    if found.price is None:
        raise UsageError(
            f"{name}: the price of this model is unknown, so nothing was sent. Set the highest "
            f"price of one call:\n  {_typed(command, '--price', 'USD')}"
        )
    if found.cap is not None:
        return None
    total = found.committed + found.price.high
    said = f"{count(found.calls, 'job')} for {price(found.price)}"
    if can_ask:
        return Question(f"{name}: buy {said}?", total)
    raise BudgetError(
        f"{name}: this would buy {said}, and a paid run needs a cap; nothing was sent. "
        f"To allow it:\n  {_typed(command, '--max-cost', dollars(total).replace(',', ''))}"
    )


def shortfall(found: CostEstimate, name: str) -> str | None:
    """A warning where the cap ends the run before the plan is complete."""
    if found.enough or found.price is None or found.cap is None:
        return None
    room = max(found.cap - found.committed, 0)
    affordable = room * found.calls // found.price.high
    used = f", {money(found.committed)} of it used" if found.committed else ""
    return (
        f"{name}: the plan costs {price(found.price)} and the cap is {money(found.cap)} "
        f"({found.cap_source}{used}). It will buy about {affordable:,} of "
        f"{count(found.calls, 'job')} and end with exit code 7"
    )


def agreed(run_options: RunOptions, question: Question) -> RunOptions:
    """`terms` after the question was answered with yes."""
    return replace(run_options, cap=question.cap, cap_source="confirmed on the terminal")


def unasked(run_options: RunOptions, price: Price | None) -> RunOptions:
    """`terms` where nobody was asked for a cap, because there is nothing to buy. `price`: of a call.

    Jobs under way may turn out to have failed, or never to have been taken. Making them again is a
    purchase, and nobody has agreed to one.
    """
    if run_options.cap is not None or (price is not None and price.free):
        return run_options
    return replace(run_options, cap=0, cap_source="there was nothing to buy")


def _typed(command: tuple[str, ...], *more: str) -> str:
    return shlex.join((*command, *more))
