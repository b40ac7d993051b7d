"""Who is told how a run goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relightflow.model.outcome import Outcome
from relightflow.model.progress import Progress


def _nothing(*_: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class RunCallbacks:
    """Callbacks on the event loop's thread; each must be quick."""

    on_start: Callable[[Callable[[], Progress]], None] = _nothing
    """Once, with a function that shows the run as it stands whenever it is called."""
    on_outcome: Callable[[Outcome], None] = _nothing
    """For each job that was touched, as it ends."""
    on_notice: Callable[[str], None] = _nothing
    """Something worth saying once."""
