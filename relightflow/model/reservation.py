"""What a run has set aside in a shared store, so that machines keep a limit together."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from relightflow.model.money import Micros
from relightflow.model.values import FrozenMap


def model_id(backend: str, model: str) -> str:
    """How the store names a backend's model, whatever characters its name has: 16 hex digits."""
    return hashlib.sha256(f"{backend}\n{model}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Reservation:
    """No call is begun under limits without one. It stands until its run ends it, or until another run
    has made sure that no call is begun under it any more."""

    id: str
    """32 hex digits. Claims and costs name the one under which their call was made."""
    run: str
    machine: str
    """The host's name."""
    recipe: str
    """Name of the recipe that is bought for."""
    at: float
    """Since when, in Unix seconds by the clock of its machine."""
    amount: Micros
    """The most that the calls under it cost together: those made, and those to come."""
    parts: Mapping[str, Micros] = field(default_factory=FrozenMap)
    """`model_id` → the most that the calls of that model cost of it. Empty: that was not told."""

    def part(self, model: str) -> Micros:
        """The most that the calls of a model (`model_id`; empty: of all) cost under it."""
        return self.parts.get(model, 0) if model and self.parts else self.amount


@dataclass(frozen=True, slots=True)
class Reserved:
    """What all machines together have set aside: the n-th state of it."""

    number: int = 0
    """0: nobody has ever reserved anything."""
    open: tuple[Reservation, ...] = ()
    ended: Mapping[str, Micros] = field(default_factory=FrozenMap)
    """Recipe → what all reservations that have ended came to, at most. Only grows."""
    ended_parts: Mapping[str, Mapping[str, Micros]] = field(default_factory=FrozenMap)
    """Recipe → `model_id` → what of that was for the model, as far as it is known."""
    writer: str = ""
    """Names the write of this state, 32 hex digits, so that a lost answer can be told from a lost race."""

    def find(self, name: str) -> Reservation | None:
        """The open reservation with the id `name`."""
        return next((one for one in self.open if one.id == name), None)

    def ended_for(self, recipe: str, model: str = "") -> Micros:
        """What the reservations for `recipe` that have ended came to; `model` (`model_id`): for that one alone,
        with all that is not known to have been for another."""
        every, parts = self.ended.get(recipe, 0), self.ended_parts.get(recipe, {})
        return parts.get(model, 0) + max(0, every - sum(parts.values())) if model else every

    def with_open(self, one: Reservation, writer: str) -> Reserved:
        """The next state, in which `one` is open, in the place of an earlier form of it."""
        others = tuple(other for other in self.open if other.id != one.id)
        return replace(self, number=self.number + 1, open=(*others, one), writer=writer)

    def without(
        self, one: Reservation, amount: Micros, writer: str, parts: Mapping[str, Micros]
    ) -> Reserved:
        """The next state, in which `one` has ended with `amount`; `parts`: `model_id` → what of it was for that
        model, as far as it is known."""
        others = tuple(other for other in self.open if other.id != one.id)
        ended = {**self.ended, one.recipe: self.ended_for(one.recipe) + amount}
        told = Counter(self.ended_parts.get(one.recipe, {})) + Counter(parts)
        every = {**self.ended_parts, **({one.recipe: told} if told else {})}
        return Reserved(self.number + 1, others, FrozenMap(ended), FrozenMap(every), writer)
