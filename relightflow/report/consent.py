"""What a person is asked or told before money is spent."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from relightflow.model.catalog import Price
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.money import Micros, dollars
from relightflow.model.plan import Plan
from relightflow.model.recipe import Recipe
from relightflow.report.text import count, money, price


def question(
    found: CostEstimate, name: str, disclosures: Sequence[str] = (), rehearsed: bool = False
) -> str:
    """`disclosures`: what becomes of the images, said before the price is agreed to."""
    first = "".join(f"{name}: {disclosure}\n" for disclosure in disclosures)
    verb = "rehearse buying" if rehearsed else "buy"
    return f"{first}{name}: {verb} {_said(found)}?"


def no_limit(found: CostEstimate, name: str, command: tuple[str, ...], cap: Micros) -> str:
    """Why a run is refused where nobody can be asked. `command` is what was typed; `cap` would do."""
    return (
        f"{name}: this would buy {_said(found)}, and a paid run needs a cap or a budget; nothing was "
        f"sent. To allow it:\n  {_typed(command, '--max-cost', dollars(cap).replace(',', ''))}"
    )


def no_price(recipe: Recipe, command: tuple[str, ...]) -> str:
    """Which models have no price of their own, and what to type."""
    unpriced = [spec for spec in recipe.backends if spec.model.price is None]
    models = " and of ".join(f"'{spec.model.name}' ({spec.name})" for spec in unpriced)
    rest = ", whichever model is dearest" if len(unpriced) > 1 else ""
    others = "; the other backends keep their own" if len(unpriced) < len(recipe.backends) else ""
    return (
        f"{recipe.name}: the price of {models} is unknown, so nothing was sent. Set the highest "
        f"price of one call{rest}{others}:\n  {_typed(command, '--price', 'USD')}"
    )


def no_store(name: str, fault: str) -> str:
    """Why nobody is asked for a purchase."""
    return f"{name}: the shared store could not be read, so nothing will be bought: {fault}"


def retries(plan: Plan, results: int) -> str:
    """Before a run makes results again that failed a check. The purchase itself is asked about as any."""
    name = plan.recipe.name
    if not results:
        return f"{name}: no result fails a check of severity 'fail', so none is made again"
    each = [spec.model.price for spec in plan.recipe.backends if spec.model.price]
    cost = None
    if len(each) == len(plan.recipe.backends):
        low, high = min(call.low for call in each), max(call.high for call in each)
        cost = Price(low * results, high * results)
    failed = f"{name}: {count(results, 'result')} failed a check"
    if not cost or cost.free:
        return f"{failed}; each gets one new result in its place"
    return f"{failed}; each gets one new result in its place, within the limits: {price(cost)}"


def _said(found: CostEstimate) -> str:
    return f"{count(found.calls, 'job')} for {price(found.price)}"


def _typed(command: tuple[str, ...], *more: str) -> str:
    return shlex.join((*command, *more))


def too_dear(found: Price | None, most: Micros) -> str:
    """Why `plan --fail-above` fails."""
    cost = "has an unknown price" if found is None else f"costs up to {money(found.high)}"
    return f"what is to be bought {cost}, and --fail-above allows {money(most)}; nothing was sent"
