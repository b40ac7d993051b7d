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
from relightflow.model.money import Micros
from relightflow.model.recipe import Recipe
from relightflow.model.run_options import RunOptions
from relightflow.run.limits.budget import cap_in_force
from relightflow.run.restoring import open_state_reader
from relightflow.store.state_dir import StateDir

ENVIRONMENT = "RELIGHTFLOW_MAX_COST"


@dataclass(frozen=True, slots=True)
class SpendOptions:
    max_cost: Micros | None = None
    environment: Micros | None = None
    price: Micros | None = None
    """Of one call, where the model's is unknown."""

    def run_options(self, recipe: Recipe, used: Micros = 0) -> RunOptions:
        """The lowest cap and its name. `used`: spent by this command's earlier recipes.

        A recipe can lower the operator's cap, never raise it.
        """
        option, environment = (
            None if cap is None else max(cap - used, 0) for cap in (self.max_cost, self.environment)
        )
        cap = cap_in_force(recipe.limits.max_cost, option, environment)
        return RunOptions(
            cap=cap.amount,
            cap_source=cap.source if cap.amount is not None else "",
            price=self.price,
        )


@dataclass(slots=True)
class SpentSoFar:
    """What the earlier recipes of one command took of the operator's cap, even where a run ended in an
    error."""

    spent: Micros = 0
    doubtful: dict[Path, Micros] = field(default_factory=dict)
    """State folder → what is in flight or unknown there since this command began."""

    @contextmanager
    def noting(self, state_dir: StateDir) -> Iterator[None]:
        """Around a run: what it comes to, says its ledger. A ledger that cannot be read says nothing,
        and refuses the next run too."""
        spent, doubtful = _money(state_dir)
        try:
            yield
        finally:
            with suppress(StorageError):
                after = _money(state_dir)
                self.spent += max(after[0] - spent, 0)
                more = self.doubtful.get(state_dir.root, 0) + after[1] - doubtful
                self.doubtful[state_dir.root] = max(more, 0)

    def used(self, state_dir: StateDir) -> Micros:
        """What a run in `home` finds taken. What is in doubt in its own state its own books count."""
        return self.spent + sum(a for root, a in self.doubtful.items() if root != state_dir.root)


def _money(state_dir: StateDir) -> tuple[Micros, Micros]:
    with open_state_reader(state_dir) as seen:
        money = seen.ledger.money()
    return money.spent, money.in_flight + money.unknown


def spend_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`paying`: --max-cost, --price, and the environment's cap."""

    @click.option(
        "--max-cost", callback=reads(usd), metavar="USD",
        help="Hard cap on spending; the lowest of this, the recipe's and the environment's applies."
        f" [env: {ENVIRONMENT}]",
    )  # fmt: skip
    @click.option(
        "--price", callback=reads(usd), metavar="USD",
        help="Highest price of one call, if the model's price is unknown.",
    )  # fmt: skip
    @functools.wraps(command)
    def gathered(*args: Any, max_cost: int | None, price: int | None, **rest: Any) -> Any:
        return command(*args, spend_options=SpendOptions(max_cost, _environment(), price), **rest)

    return gathered


def _environment() -> Micros | None:
    text = os.environ.get(ENVIRONMENT)
    try:
        return usd(text) if text else None
    except ValueError as problem:
        raise UsageError(f"{ENVIRONMENT}: {problem}") from None


def committed(state_dir: StateDir, recipe: str) -> Micros:
    """What counts against a run's cap already: spent by the runs of `recipe` that it would resume, in flight, unknown."""
    with open_state_reader(state_dir) as seen:
        money = seen.ledger.money(campaign=recipe)
    return money.spent + money.in_flight + money.unknown
