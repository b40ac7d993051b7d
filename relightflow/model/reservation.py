"""What a run has set aside in a shared store, so that machines keep a limit together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from relightflow.model.money import Micros
from relightflow.model.values import FrozenMap


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


@dataclass(frozen=True, slots=True)
class Reserved:
    """What all machines together have set aside: the n-th state of it."""

    number: int = 0
    """0: nobody has ever reserved anything."""
    open: tuple[Reservation, ...] = ()
    ended: Mapping[str, Micros] = field(default_factory=FrozenMap)
    """Recipe → what all reservations that have ended came to, at most. Only grows."""
    writer: str = ""
    """Names the write of this state, 32 hex digits, so that a lost answer can be told from a lost race."""

    def find(self, name: str) -> Reservation | None:
        """The open reservation with the id `name`."""
        return next((one for one in self.open if one.id == name), None)

    def ended_for(self, recipe: str) -> Micros:
        """What the reservations for `recipe` that have ended came to."""
        return self.ended.get(recipe, 0)

    def with_open(self, one: Reservation, writer: str) -> Reserved:
        """The next state, in which `one` is open, in the place of an earlier form of it."""
        others = tuple(other for other in self.open if other.id != one.id)
        return Reserved(self.number + 1, (*others, one), self.ended, writer)

    def without(self, one: Reservation, amount: Micros, writer: str) -> Reserved:
        """The next state, in which `one` has ended with `amount`."""
        others = tuple(other for other in self.open if other.id != one.id)
        ended = {**self.ended, one.recipe: self.ended_for(one.recipe) + amount}
        return Reserved(self.number + 1, others, FrozenMap(ended), writer)
