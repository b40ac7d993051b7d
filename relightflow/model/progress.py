"""A run seen at one moment, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.model.money import Micros


@dataclass(frozen=True, slots=True)
class Progress:
    jobs: int
    done: int
    """Made now or before."""
    failed: int
    in_flight: int
    spent: Micros
    """By this run, settled."""
    cap: Micros | None
    waiting: str = ""
    """Why nothing moves, in words, such as `rate limit, 12 s`; empty: it moves."""
    seconds_left: float | None = None
    """None: not known yet."""
