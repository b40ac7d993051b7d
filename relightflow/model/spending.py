"""Money as the limits see it: what each call counts at, and what the operator and the recipe allow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from relightflow.model.money import Micros, micros

DAY = 86_400.0
ALLOWANCE = r"(\d{1,7}(?:\.\d{1,6})?)/([1-9]\d{0,3})?([hdw])"
_ALLOWANCE = re.compile(ALLOWANCE, re.ASCII)
_UNITS = {"h": 3600.0, "d": DAY, "w": 7 * DAY}


@dataclass(frozen=True, slots=True)
class Allowance:
    """`limits.budget`, `--budget`: at most `amount` in any `seconds`."""

    amount: Micros
    seconds: float


@dataclass(frozen=True, slots=True)
class Share:
    """A shard's part of a limit: of what was left when the shards began, and for its own calls only."""

    after: int
    """Attempts with a higher number are the shard's own."""
    jobs: int
    """Jobs that the shard had to buy when it began."""
    whole: int
    """Jobs that all shards together had to buy."""
    count: int
    """Shards."""
    name: str
    """Which it is, in words."""

    def of(self, left: Micros, limit: SpendLimit) -> Micros:
        """Rounded down, so that the shares of all shards together never pass `left`. A recipe's own cap
        is divided by jobs; what several recipes have in common, evenly."""
        if limit.window is not None or len(limit.together) > 1:
            return left // self.count
        return left * self.jobs // self.whole if self.whole else 0


@dataclass(frozen=True, slots=True)
class SpendLimit:
    amount: Micros
    """Micro-dollars."""
    source: str
    """Who set it, in words: `limits.max_cost`, `--budget`, `RELIGHTFLOW_MAX_COST`."""
    window: float | None = None
    """Seconds: an allowance over everything in the state. None: what a recipe may cost altogether."""
    together: tuple[tuple[str, str], ...] = ()
    """(name, file) of the recipes that share it, where a command was given several."""
    share: Share | None = None
    """The part of it that a shard may spend; None: all of it."""


class Kind(StrEnum):
    SPENT = "spent"
    IN_FLIGHT = "in_flight"
    """Accepted or on its way, and not known to be billed."""
    UNKNOWN = "unknown"
    """May have been billed."""
    ADOPTED = "adopted"
    """A result that was bought elsewhere."""


class Charge(NamedTuple):
    """One call of the ledger that cost money, or may have."""

    attempt: int
    recipe: str
    """Its name; empty where the ledger does not know it, as after a rebuild."""
    backend: str
    model: str
    at: float
    """When the call was made; Unix seconds by the clock of that time."""
    kind: Kind
    price: Micros
    """The highest on the price list."""
    cost: Micros | None
    """As the provider reported it."""
    floor: Micros | None
    """The lowest on the price list; None: a ledger of 0.1, or restored."""
    server: float | None = None
    """When the call was made by the provider's clock, Unix seconds; None: it had not told the time."""

    @property
    def reported(self) -> Micros:
        return self.price if self.cost is None else self.cost

    @property
    def counted(self) -> Micros:
        """Against limits: a cost below the price list counts as the list's price."""
        return max(self.reported, self.price if self.floor is None else self.floor)


@dataclass(frozen=True, slots=True)
class SpendingRow:
    """What a recipe, a model, a day or a month came to. In micro-dollars."""

    name: str
    calls: int
    spent: Micros
    """As the provider reported it; a cost that it did not report is the highest price."""
    counted: Micros
    """All that counts against limits: spent (at least the list's price), in flight, unknown, adopted."""
    in_flight: Micros
    unknown: Micros
    adopted: Micros


@dataclass(frozen=True, slots=True)
class Spending:
    recipes: tuple[SpendingRow, ...]
    models: tuple[SpendingRow, ...]
    days: tuple[SpendingRow, ...]
    """`2026-11-27`, in UTC; so are the months."""
    months: tuple[SpendingRow, ...]
    total: SpendingRow


def allowance(text: str) -> Allowance:
    """`20/7d` → 20 USD in any 7 days; the window in h, d or w. Raises ValueError for anything else."""
    found = _ALLOWANCE.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"{text!r} is not a valid budget; use the form USD/window, such as 20/7d or 5/12h"
        )
    amount, count, unit = found.groups()
    return Allowance(micros(amount), int(count or 1) * _UNITS[unit])


def span(seconds: float) -> str:
    """`7 days`, `12 hours`, `90 seconds`."""
    for unit, word in ((DAY, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % unit == 0:
            number = int(seconds // unit)
            return f"{number:,} {word}{'' if number == 1 else 's'}"
    return f"{seconds:g} seconds"
