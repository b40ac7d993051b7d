"""A run seen at one moment, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.model.money import Micros


@dataclass(frozen=True, slots=True)
class Progress:
    jobs: int
    """Distinct jobs of the plan."""
    done: int
    """Made now or before."""
    failed: int
    """Failed, unknown or not collected yet."""
    in_flight: int
    """Worked on now, those that wait for their turn left out."""
    spent: Micros
    """By this run, settled."""
    cap: Micros | None
    """In micro-dollars; None: there is none."""
    waiting: int = 0
    """Jobs that wait for the rate limit, for the end of an outage, or for an expiring result."""
    seconds_left: float | None = None
    """None: not known yet."""
