"""Follows calls that were accepted under the provider's own id until they have a result.

A provider says where it is asked, which answers are its own, and what an answer says of the call.
"""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from relightflow.backends.http import sessions
from relightflow.backends.http.client import Api
from relightflow.backends.http.hosts import H
from relightflow.backends.http.polling import PollSchedule
from relightflow.backends.http.response import Response, usable_id
from relightflow.backends.http.sanitize import shown
from relightflow.backends.http.verdicts import still_open
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown


@dataclass(slots=True)
class Repeats:
    """How often the same answer came in a row."""

    last: tuple[int, bytes] = (0, b"")
    times: int = 0

    def count(self, answer: Response) -> int:
        same = (answer.status, answer.body)
        self.times = self.times + 1 if same == self.last else 1
        self.last = same
        return self.times


@dataclass(frozen=True, slots=True)
class Finished:
    """A call that has a result."""

    step: ResultKnown
    seconds: float | None = None
    """How long it took, on the provider's word; None: it does not say."""


@dataclass(frozen=True, slots=True)
class QueuePoller(abc.ABC, Generic[H]):
    """Derive from it: `_look` and `_own`."""

    api: Api[H]
    pace: PollSchedule
    warn: Callable[[str], None]
    """Says a thing once."""
    sleep: Callable[[float], Awaitable[None]]
    monotonic: Callable[[], float]
    wall: Callable[[], float]

    longest: ClassVar[float]
    """Seconds after which a process stops waiting; the next run goes on."""
    waiting: ClassVar[tuple[str, ...]]
    """Words for a call that has not ended."""
    cap: ClassVar[int] = sessions.JSON_CAP
    """Bytes of an answer."""

    @abc.abstractmethod
    async def _look(self, step: Accepted, repeats: Repeats) -> Finished | None:
        """Ask once what became of `step`; None: it has not ended. Raises `CallFailed`."""

    @abc.abstractmethod
    def _own(self, answer: Response) -> bool:
        """Whether the provider itself gave the answer."""

    def _known(self, step: Accepted) -> bool:
        """Whether the step can be one of this provider's."""
        return bool(usable_id(step.request_id))

    async def result(self, step: Accepted) -> ResultKnown:
        """Wait for `step`'s result. Raises `CallFailed`: EXPIRED where the provider does not know it any more."""
        name = self.api.hosts.provider
        if not self._known(step):
            words = f"the request in the ledger is not a valid one of {name}'s"
            raise CallFailed(Failure(FailureKind.EXPIRED, words, Billed.UNKNOWN))
        began, repeats = self.monotonic(), Repeats()
        age = max(0.0, self.wall() - float(step.details.get("submitted", self.wall())))
        for wait in self.pace.waits(age):
            await self.sleep(wait)
            found = await self._look(step, repeats)
            if found is not None:
                waited = self.monotonic() - began + age
                self.pace.learn(waited if found.seconds is None else found.seconds)
                return found.step
            if self.monotonic() - began > self.longest:
                break
        words = f"{name} has not finished after hours; the next run polls again"
        raise CallFailed(
            Failure(FailureKind.PENDING, words, Billed.UNKNOWN, request_id=step.request_id)
        )

    async def _ask(self, url: str, step: Accepted) -> Response:
        """The answer about a call. Raises `CallFailed`: EXPIRED on the provider's own 404."""
        name = self.api.hosts.provider
        try:
            answer = await self.api.read("GET", url, f"polling {name}", cap=self.cap)
        except CallFailed as failed:
            raise CallFailed(still_open(failed.failure, step.request_id)) from None
        if answer.status == 404 and self._own(answer):
            # whether to believe it, and when to ask again, is the engine's to decide
            words = f"{name} has no record of the request (any more)"
            raise CallFailed(
                Failure(FailureKind.EXPIRED, words, Billed.UNKNOWN, 404, request_id=step.request_id)
            )
        return answer

    def _about(self, body: dict[str, Any], field: str, step: Accepted) -> None:
        """Raise `CallFailed` where an answer names another call than the one asked for."""
        if body.get(field, step.request_id) != step.request_id:
            words = f"{self.api.hosts.provider} answered about another request"
            self.warn(f"{words} than the one asked for; asked again")
            raise CallFailed(self._again(words, step))

    def _again(self, words: str, step: Accepted) -> Failure:
        """An answer that settles nothing."""
        return still_open(Failure(FailureKind.UNAVAILABLE, words), step.request_id)

    def _ended(self, word: str, *ends: str) -> bool:
        """Whether a status is one of `ends`; a word that nobody documented is told, once."""
        if word not in (*ends, *self.waiting):
            name = self.api.hosts.provider
            self.warn(
                f"{name} reported the unknown status '{shown(word, longest=40)}'; treated as still "
                "running"
            )
        return word in ends
