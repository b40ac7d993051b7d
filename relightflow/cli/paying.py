"""The operator's word on money: --max-cost, --price and RELIGHTFLOW_MAX_COST, and the cap in force."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from relightflow.cli.types import reads, usd
from relightflow.errors import StorageError, UsageError
from relightflow.ledger.reader import reading
from relightflow.model.money import Micros
from relightflow.model.recipe import Recipe
from relightflow.model.terms import Terms
from relightflow.run.budget import cap_in_force
from relightflow.store.home import Home

ENVIRONMENT = "RELIGHTFLOW_MAX_COST"


@dataclass(frozen=True, slots=True)
class Paying:
    max_cost: Micros | None = None
    environment: Micros | None = None
    price: Micros | None = None
    """Of one call, where the model's is unknown."""

    def terms(self, recipe: Recipe, used: Micros = 0) -> Terms:
        """The lowest cap and its name. `used`: spent by this command's earlier recipes.

        A recipe can lower the operator's cap, never raise it.
        """
        option, environment = (
            None if cap is None else max(cap - used, 0) for cap in (self.max_cost, self.environment)
        )
        cap = cap_in_force(recipe.limits.max_cost, option, environment)
        return Terms(
            cap=cap.amount,
            cap_source=cap.source if cap.amount is not None else "",
            price=self.price,
        )


@dataclass(slots=True)
class Tab:
    """What the earlier recipes of one command took of the operator's cap, even where a run ended in an
    error."""

    spent: Micros = 0
    doubtful: dict[Path, Micros] = field(default_factory=dict)
    """State folder → what is in flight or unknown there since this command began."""

    @contextmanager
    def noting(self, home: Home) -> Iterator[None]:
        """Around a run: what it comes to, says its ledger. A ledger that cannot be read says nothing,
        and refuses the next run too."""
        spent, doubtful = _money(home)
        try:
            yield
        finally:
            with suppress(StorageError):
                after = _money(home)
                self.spent += max(after[0] - spent, 0)
                more = self.doubtful.get(home.root, 0) + after[1] - doubtful
                self.doubtful[home.root] = max(more, 0)

    def used(self, home: Home) -> Micros:
        """What a run in `home` finds taken. What is in doubt in its own state its own books count."""
        return self.spent + sum(a for root, a in self.doubtful.items() if root != home.root)


def _money(home: Home) -> tuple[Micros, Micros]:
    with reading(home.ledger) as ledger:
        money = ledger.money()
    return money.spent, money.in_flight + money.unknown


def paying(command: Callable[..., Any]) -> Callable[..., Any]:
    """`paying`: --max-cost, --price, and the environment's cap."""

    @click.option(
        "--max-cost", callback=reads(usd), metavar="USD",
        help="Hard cap; the lowest of this, the recipe's and the environment's holds."
        f" [env: {ENVIRONMENT}]",
    )  # fmt: skip
    @click.option(
        "--price", callback=reads(usd), metavar="USD",
        help="What one call costs at most, where a model's price is unknown.",
    )  # fmt: skip
    @functools.wraps(command)
    def gathered(*args: Any, max_cost: int | None, price: int | None, **rest: Any) -> Any:
        return command(*args, paying=Paying(max_cost, _environment(), price), **rest)

    return gathered


def _environment() -> Micros | None:
    text = os.environ.get(ENVIRONMENT)
    try:
        return usd(text) if text else None
    except ValueError as problem:
        raise UsageError(f"{ENVIRONMENT}: {problem}") from None


def committed(home: Home, recipe: str) -> Micros:
    """What counts against a run's cap already: spent by the runs of `recipe` that it would resume, in flight, unknown."""
    with reading(home.ledger) as ledger:
        money = ledger.money(campaign=recipe)
    return money.spent + money.in_flight + money.unknown
