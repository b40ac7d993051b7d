"""Why and how far a run stops: first no new submits, then no waiting, last everything.

Whoever waits for something that has cost nothing yet does so inside `submitting()`; whoever polls
something that another process could collect does so inside `collecting()`. When the run is shut down,
those waits end with `Stopped`, and nothing that may have been billed is torn.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from dataclasses import replace

from relightflow.model.summary import Issue


class Stopped(Exception):
    """The run stops: give up what you waited for. Nothing was sent."""


class Shutdown:
    def __init__(self, whole: Shutdown | None = None, name: str = "") -> None:
        """`whole`: of the run that this is a part of: one backend of several, which may stop alone. `name`:
        of that backend, so that people read what goes on without it."""
        self._name = name
        self.whole: Shutdown = whole or self
        self._parts: list[Shutdown] = []
        self.issues: list[Issue] = whole.issues if whole else []
        """Every reason there was, in the order of their coming."""
        if whole:
            whole._parts.append(self)
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
        if self._name:
            issue = replace(issue, message=f"{self._name}: {issue.message}")
        if issue not in self.issues:
            self.issues.append(issue)
        for one in (self, *self._parts):
            one._no_submits = True
            _cancel(one._submitters)

    def drain(self, issue: Issue) -> None:
        """Stop polling too, of the whole run: another process can collect what is accepted."""
        self.whole.stop_new(issue)
        for one in (self.whole, *self.whole._parts):
            one._draining = True
            _cancel(one._collectors)

    def abort(self) -> None:
        """End everything: a call whose answer has not come is left as it is in the ledger."""
        for one in (self.whole, *self.whole._parts):
            one._no_submits = one._draining = True
            _cancel(one._workers)

    def working(self) -> AbstractContextManager[None]:
        """Around the whole life of a job. Raises Stopped where the run is torn."""
        return _Waiting(self._workers)

    def submitting(self) -> AbstractContextManager[None]:
        """Around a wait before a submit. Raises Stopped where no submit is allowed any more."""
        if self._no_submits:
            raise Stopped
        return _Waiting(self._submitters)

    def collecting(self) -> AbstractContextManager[None]:
        """Around a poll. Raises Stopped where the run is leaving."""
        if self._draining:
            raise Stopped
        return _Waiting(self._collectors)


class _Waiting(AbstractContextManager[None]):
    """The current task, in the set of those that a shutdown cancels. (Entered several times a job, so it
    is no generator, which would cost three times as much.)"""

    __slots__ = ("_task", "_waiters")

    def __init__(self, waiters: set[asyncio.Task[object]]) -> None:
        self._waiters = waiters

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task
        self._task = task
        self._waiters.add(task)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        ours = self._task in self._waiters
        self._waiters.discard(self._task)
        if kind is None or ours or not issubclass(kind, asyncio.CancelledError):
            return
        if self._task.uncancel() == 0:
            raise Stopped from None


def _cancel(waiters: set[asyncio.Task[object]]) -> None:
    """End the waits; a task that is no longer in the set knows that it was the shutdown."""
    for task in tuple(waiters):
        waiters.discard(task)
        task.cancel()
