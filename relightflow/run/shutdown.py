"""Why and how far a run stops: first no new submits, then no waiting, last everything.

Whoever waits for something that has cost nothing yet does so inside `submitting()`; whoever polls
something that another process could collect does so inside `collecting()`. When the run is shut down,
those waits end with `Stopped`, and nothing that may have been billed is torn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from relightflow.model.summary import Issue


class Stopped(Exception):
    """The run stops: give up what you waited for. Nothing was sent."""


class Shutdown:
    def __init__(self) -> None:
        self.issues: list[Issue] = []
        """Every reason there was, in the order of their coming."""
        self._no_submits = False
        self._draining = False
        self._workers: set[asyncio.Task[object]] = set()
        self._submitters: set[asyncio.Task[object]] = set()
        self._collectors: set[asyncio.Task[object]] = set()

    @property
    def submits_allowed(self) -> bool:
        return not self._no_submits

    @property
    def draining(self) -> bool:
        return self._draining

    def stop_new(self, issue: Issue) -> None:
        """Nothing new is bought; what is accepted is still collected."""
        if issue not in self.issues:
            self.issues.append(issue)
        self._no_submits = True
        _cancel(self._submitters)

    def drain(self, issue: Issue) -> None:
        """Stop polling too: another process can collect what is accepted."""
        self.stop_new(issue)
        self._draining = True
        _cancel(self._collectors)

    def abort(self) -> None:
        """End everything: a call whose answer has not come is left as it is in the ledger."""
        self._no_submits = self._draining = True
        _cancel(self._workers)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Around the whole life of a job. Raises Stopped where the run is torn."""
        with self._waiting(self._workers, over=False):
            yield

    @contextmanager
    def submitting(self) -> Iterator[None]:
        """Around a wait before a submit. Raises Stopped where no submit is allowed any more."""
        with self._waiting(self._submitters, self._no_submits):
            yield

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Around a poll. Raises Stopped where the run is leaving."""
        with self._waiting(self._collectors, self._draining):
            yield

    @contextmanager
    def _waiting(self, waiters: set[asyncio.Task[object]], over: bool) -> Iterator[None]:
        if over:
            raise Stopped
        task = asyncio.current_task()
        assert task
        waiters.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if task not in waiters and task.uncancel() == 0:
                raise Stopped from None
            raise
        finally:
            waiters.discard(task)


def _cancel(waiters: set[asyncio.Task[object]]) -> None:
    """End the waits; a task that is no longer in the set knows that it was the shutdown."""
    for task in tuple(waiters):
        waiters.discard(task)
        task.cancel()
