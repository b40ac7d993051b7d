"""Follows calls that were accepted until they have a result.

A provider's poller says how one look is taken, and what its answer says of the call.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from relightflow.backends.http import sessions
from relightflow.backends.http.client import Api
from relightflow.backends.http.hosts import H
from relightflow.backends.http.polling import ClockFunctions, PollSchedule
from relightflow.backends.http.response import Response, mapping, usable_id
from relightflow.backends.http.sanitize import shown
from relightflow.backends.http.verdicts import Verdicts, still_open
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown
from relightflow.model.values import FrozenMap


def accepted(answer: Response, field: str, verdicts: Verdicts, **details: Any) -> Accepted:
    """The step that the answer to a submit stands for, whose `field` has the provider's id. Raises `CallFailed`
    where that is none."""
    request_id = usable_id(mapping(answer.body).get(field))
    if not request_id:
        words = f"{verdicts.provider} accepted the call, but the answer contains no usable id"
        raise CallFailed(verdicts.unknown(words, answer.status, answer.body))
    return Accepted(request_id, FrozenMap(details))


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
    """Derive from it: `_look`."""

    api: Api[H]
    pace: PollSchedule
    warn: Callable[[str], None]
    """Says a thing once."""
    clock: ClockFunctions

    longest: ClassVar[float]
    """Seconds after which a process stops waiting; the next run goes on."""
    waiting: ClassVar[tuple[str, ...]] = ()
    """Words for a call that has not ended."""
    cap: ClassVar[int] = sessions.JSON_CAP
    """Bytes of an answer."""

    @abc.abstractmethod
    async def _look(self, step: Accepted, repeats: Repeats) -> Finished | None:
        """Ask once what became of `step`; None: it has not ended. Raises `CallFailed`."""

    def _known(self, step: Accepted) -> bool:
        """Whether the step can be one of this provider's."""
        return bool(usable_id(step.request_id))

    async def result(self, step: Accepted) -> ResultKnown:
        """Wait for `step`'s result. Raises `CallFailed`: EXPIRED where the provider does not know it any more."""
        name, now = self.api.hosts.provider, self.clock.monotonic
        if not self._known(step):
            words = f"the request in the ledger is not a valid one of {name}'s"
            raise CallFailed(Failure(FailureKind.EXPIRED, words, Billed.UNKNOWN))
        began, repeats = now(), Repeats()
        wall = self.clock.wall()
        age = max(0.0, wall - float(step.details.get("submitted", wall)))
        for wait in self.pace.waits(age):
            await self.clock.sleep(wait)
            found = await self._look(step, repeats)
            if found is not None:
                self.pace.learn(now() - began + age if found.seconds is None else found.seconds)
                return found.step
            if now() - began > self.longest:
                break
        words = f"{name} has not finished after hours; the next run polls again"
        raise CallFailed(
            Failure(FailureKind.PENDING, words, Billed.UNKNOWN, request_id=step.request_id)
        )

    async def _ask(self, url: str, step: Accepted, own: Callable[[Response], bool]) -> Response:
        """The answer about a call. Raises `CallFailed`: EXPIRED on a 404 that is the provider's `own`."""
        name = self.api.hosts.provider
        try:
            answer = await self.api.read("GET", url, f"polling {name}", cap=self.cap)
        except CallFailed as failed:
            raise CallFailed(still_open(failed.failure, step.request_id)) from None
        if answer.status == 404 and own(answer):
            # whether to believe it, and when to ask again, is the engine's to decide
            raise CallFailed(self._gone(step))
        return answer

    def _gone(self, step: Accepted) -> Failure:
        """The provider does not know the call (any more)."""
        words = f"{self.api.hosts.provider} has no record of the request (any more)"
        return Failure(FailureKind.EXPIRED, words, Billed.UNKNOWN, 404, request_id=step.request_id)

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
