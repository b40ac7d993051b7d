"""How a state folder stands: the last run, the money, and what is in doubt."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.model.attempt import Attempt, State
from relightflow.model.money import Micros
from relightflow.model.restoration import NOTHING, Restoration


@dataclass(frozen=True, slots=True)
class LastRun:
    id: str
    recipe: str
    started: float
    """Unix seconds."""
    ended: float | None
    """None: it runs still, or it was killed."""
    exit_code: int | None


@dataclass(frozen=True, slots=True)
class Status:
    state: str
    """The folder."""
    last_run: LastRun | None
    spent: Micros
    """By all runs. Unknown costs count as the highest price, here and below."""
    in_flight: Micros
    unknown: Micros
    states: tuple[tuple[State, int], ...]
    """How many attempts stand where; only states that some attempt is in."""
    doubts: tuple[Attempt, ...]
    """Every attempt that may have been billed and whose outcome is unknown."""
    waiting: int = 0
    """Paid results that the provider deletes soon, and that no run has collected yet."""
    collect_by: float | None = None
    """When it deletes the first of them, Unix seconds by this machine's clock; None: there are none."""
    exists: bool = True
    """False: there is no such folder, so nothing was ever bought with it."""
    rehearsal: bool = False
    """It is the state of rehearsals: nothing in it was bought."""
    restoration: Restoration = NOTHING
    """What the next run will put back into the ledger; counted above."""
