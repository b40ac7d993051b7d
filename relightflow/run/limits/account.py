"""What counts against one limit: what was spent, and the calls whose cost is not known yet."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from relightflow.model.money import Micros
from relightflow.model.spending import Charge, SpendLimit


class OpenCall(NamedTuple):
    """A kind of call whose cost is not known yet."""

    price: Micros
    """What is reserved for it."""
    model: tuple[str, str] = ("", "")
    """(backend, model); empty where it is not known."""


Worth = Callable[[OpenCall], Micros]
"""What an open call counts at."""


def listed_price(call: OpenCall) -> Micros:
    """What an open call counts at, at least."""
    return call.price


@dataclass(slots=True)
class Account:
    """What counts against one limit."""

    limit: SpendLimit
    spent: Micros = 0
    in_flight: Counter[OpenCall] = field(default_factory=Counter)
    """Kind of call → how many."""
    unknown: Counter[OpenCall] = field(default_factory=Counter)
    counted: frozenset[int] = frozenset()
    """Attempts of earlier runs, in flight or unknown, that count here."""
    days: tuple[tuple[str, Micros], ...] = ()
    """What earlier runs spent, by day (`2026-11-27`, UTC)."""
    frees_at: float | None = None
    """When the oldest purchase leaves the window; Unix seconds."""
    before: Micros = 0
    """Spent by earlier runs."""
    charges: Sequence[Charge] = ()
    """Of a window: all calls of the state, so that it can be counted again by a better clock."""
    server_time: float = math.inf
    """Of a window: the earliest time by a provider's clock that this run was told, Unix seconds."""
    elsewhere: Sequence[Charge] = ()
    """Of a window: what other machines told the shared store."""
    names: frozenset[str] | None = frozenset()
    """Recipes whose reservations in the shared store count here; None: all."""
    model: str = ""
    """The model that the limit is for (`model_id`); empty: all."""
    reserved: Micros = 0
    """What other machines have reserved there, and what came of it since the run began."""

    def committed(self, worth: Worth = listed_price) -> Micros:
        """What would be gone if every open call were billed at what it is worth."""
        return self.spent + self.reserved + self._open_calls(worth)[0]

    def surcharge(self, worth: Worth) -> Micros:
        """What the open calls may cost above `committed`, each up to 1.5 × its price; the largest
        of these is left out, so that one unknown outcome does not keep an exact cap from being used."""
        return self._open_calls(worth)[1]

    def at_most(self, worth: Worth) -> Micros:
        """Both: what may be gone once every open call is billed."""
        committed, surcharge = self._open_calls(worth)
        return self.spent + self.reserved + committed + surcharge

    def _open_calls(self, worth: Worth) -> tuple[Micros, Micros]:
        """What the open calls are worth, and their surcharge."""
        total = surcharge = largest = 0
        for counted in (self.in_flight, self.unknown):
            for call, calls in counted.items():
                if calls > 0:
                    value = worth(call)
                    above = max(0, call.price * 3 // 2 - value)
                    total += value * calls
                    surcharge += above * calls
                    largest = max(largest, above)
        return total, surcharge - largest
