"""A worker as a source asks it while it is planned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from relightflow.executors.envelope import done, opened, packed
from relightflow.plugins.executor import Task, TaskRefused

T = TypeVar("T")


@dataclass
class Worker:
    """One that does what it is asked, in an envelope as on a cluster; `refuses`: or not."""

    names: list[str] = field(default_factory=list)
    refuses: bool = False
    meanwhile: Callable[[], object] = field(default=lambda: None)

    def __call__(self, task: Task[T]) -> T | None:
        self.names.append(task.name)
        if self.refuses:
            return None
        try:
            found: T = opened(done(packed(task)))
        except TaskRefused:
            return None
        self.meanwhile()
        return found
