"""Keeps what is spent, in flight and unknown under the cap, before each call and not after it.

Every call is counted at its highest price until its real cost is known, so that
`spent + in_flight + held` cannot pass the cap whatever becomes of the calls in the air. Only a
provider that charges more than its highest price can; then nothing more is reserved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from relightflow.model.money import Micros


@dataclass(frozen=True, slots=True)
class Cap:
    """The most a run may spend, and who said so."""

    amount: Micros | None
    """None: nobody gave one."""
    source: str
    """In words, for messages: `limits.max_cost`, `--max-cost`, `RELIGHTFLOW_MAX_COST`."""


def cap_in_force(recipe: Micros | None, option: Micros | None, environment: Micros | None) -> Cap:
    """The lowest of those given: a recipe can lower the operator's cap, never raise it."""
    given = [
        (amount, source)
        for amount, source in (
            (option, "--max-cost"),
            (environment, "RELIGHTFLOW_MAX_COST"),
            (recipe, "limits.max_cost"),
        )
        if amount is not None
    ]
    if not given:
        return Cap(None, "no cap was given")
    return Cap(*min(given, key=lambda pair: pair[0]))


@dataclass(frozen=True, slots=True)
class SettledCost:
    """What a call is booked at."""

    cost: Micros
    overcharged: bool
    """True: more than 1.5 × the highest price of the plan; the run stops (exit 7)."""


class Budget:
    """The books of one run. Amounts in micro-dollars; one event loop, no locks."""

    def __init__(
        self, cap: Micros | None, spent: Micros = 0, held: Micros = 0, in_flight: Micros = 0
    ) -> None:
        """`held` and `in_flight`: the highest prices of what earlier runs left unknown and accepted."""
        self.cap = cap
        self.spent = spent
        self.held = held
        self.in_flight = in_flight

    @property
    def committed(self) -> Micros:
        """What would be gone if every call in the air were billed at its highest price."""
        return self.spent + self.in_flight + self.held

    @property
    def left(self) -> Micros | None:
        """What may still be reserved; None without a cap."""
        return None if self.cap is None else max(0, self.cap - self.committed)

    def reserve(self, price: Micros) -> bool:
        """Set the highest price of a call aside. False: it might pass the cap, so do not call.

        Something free is always allowed.
        """
        if price < 0:
            raise ValueError(f"a price cannot be negative: {price}")
        if price and self.cap is not None and self.committed + price > self.cap:
            return False
        self.in_flight += price
        return True

    def adopt(self, price: Micros) -> None:
        """A call that another machine made is in the air: it counts, whatever the cap says."""
        self.in_flight += price

    def settle(self, reserved: Micros, cost: Micros | float | None) -> SettledCost:
        """A call was billed. A `cost` that is unknown, negative or no number counts as `reserved`."""
        self._take(reserved)
        real = reserved
        if cost is not None and math.isfinite(cost) and cost >= 0:
            real = math.ceil(cost)
        self.spent += real
        return SettledCost(real, overcharged=2 * real > 3 * reserved)

    def release(self, reserved: Micros) -> None:
        """A call was certainly not billed."""
        self._take(reserved)

    def hold(self, reserved: Micros) -> None:
        """A call may have been billed: it goes on counting."""
        self._take(reserved)
        self.held += reserved

    def doubt(self, price: Micros) -> None:
        """A call ended without a word, so nobody knows whether its price is still set aside: it goes
        on counting from here on."""
        self.in_flight -= min(price, self.in_flight)
        self.held += price

    def resume(self, price: Micros) -> None:
        """A held call turned out to be in flight after all; settle or release it next."""
        if price > self.held:
            raise ValueError(f"{price} was never held")
        self.held -= price
        self.in_flight += price

    def _take(self, reserved: Micros) -> None:
        if reserved < 0 or reserved > self.in_flight:
            raise ValueError(f"{reserved} was never reserved")
        self.in_flight -= reserved
