"""fal's queue: submit, poll, result. The answer to a submit comes at once; the work is done later.

Source: fal's queue pages and its own client. A failed call is COMPLETED too: its result answers with the
model's status. URLs are built from the checked request id; those in the answers are ignored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from relightflow.backends.fal import models, responses
from relightflow.backends.fal.hosts import FalApi
from relightflow.backends.http import sessions
from relightflow.backends.http.client import BROKEN, reason
from relightflow.backends.http.polling import PollSchedule
from relightflow.backends.http.response import KEPT, Response, amount, mapping, usable_id
from relightflow.backends.http.sanitize import shown
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.money import Micros
from relightflow.model.step import Accepted, ResultKnown
from relightflow.model.values import FrozenMap
from relightflow.network.body import TooLarge, Unreadable, read_body

SUBMIT_SECONDS = 90.0
START_SECONDS = 3600
"""A call that no runner has taken up after so long is given up by fal, unbilled. With it the time is
bounded after which a call that the history lacks cannot be waiting any more."""
RUN_SECONDS = 3600.0
"""Longer than any of these models works on one image."""
_LONGEST_WAIT = START_SECONDS + RUN_SECONDS
_WAITING = ("IN_QUEUE", "IN_PROGRESS")
_HEADERS = {"X-Fal-Request-Timeout": str(START_SECONDS)}
_UNITS = "x-fal-billable-units"
_CONVINCED = 3
"""Equal answers in a row after which a failure that the status does not mention ends the wait."""


async def submit(api: FalApi, model: str, inputs: Mapping[str, Any], now: float) -> Accepted:
    """The one billable POST. Raises `CallFailed`."""
    response, late = await api.post_once(
        api.hosts.submit(model), inputs, SUBMIT_SECONDS, headers=_HEADERS
    )
    async with response:
        try:
            body = await read_body(response, sessions.JSON_CAP)
        except (TooLarge, Unreadable, *BROKEN) as error:
            if response.status != 200:
                body = b""
            else:
                words = f"fal accepted the call, but the answer could not be read: {reason(error)}"
                raise CallFailed(responses.unknown(words, 200)) from None
        answer = Response(response.status, response.headers, body, late)
    if answer.status != 200:
        raise CallFailed(responses.of_submit(answer, model))
    request_id = usable_id(mapping(body).get("request_id"))
    if not request_id:
        words = "fal accepted the call, but the answer contains no usable request id"
        raise CallFailed(responses.unknown(words, 200, body))
    return Accepted(request_id, FrozenMap({"model": model, "submitted": now}))


@dataclass(frozen=True, slots=True)
class FalPoller:
    """Follows accepted requests to their result."""

    api: FalApi
    pace: PollSchedule
    warn: Callable[[str], None]
    sleep: Callable[[float], Awaitable[None]]
    monotonic: Callable[[], float]
    wall: Callable[[], float]

    async def result(self, step: Accepted) -> ResultKnown:
        """Wait for `step`'s result. Raises `CallFailed`: EXPIRED where fal does not know it any more."""
        model = step.details.get("model")
        if not usable_id(step.request_id) or models.model(str(model)) is None:
            words = "the request in the ledger is not a valid one of fal's"
            raise CallFailed(Failure(FailureKind.EXPIRED, words, Billed.UNKNOWN))
        url = self.api.hosts.result(str(model), step.request_id)
        began = self.monotonic()
        age = max(0.0, self.wall() - float(step.details.get("submitted", self.wall())))
        alike: tuple[int, bytes] = (0, b"")
        times = 0
        for wait in self.pace.waits(age):
            await self.sleep(wait)
            done, failed = await self._status(f"{url}/status", step)
            if done:
                answer = await self._ask(url, step)
                if answer.status == 200:
                    waited = self.monotonic() - began
                    self.pace.learn(waited + age)
                    return _known(step, answer)
                same = (answer.status, answer.body)
                times, alike = times + 1 if same == alike else 1, same
                self._check_failed(answer, step, bool(failed), times)
            if self.monotonic() - began > _LONGEST_WAIT:
                break
        words = "fal has not finished after hours; the next run polls again"
        raise CallFailed(
            Failure(FailureKind.PENDING, words, Billed.UNKNOWN, request_id=step.request_id)
        )

    async def _ask(self, url: str, step: Accepted) -> Response:
        """The answer about a request. Raises `CallFailed`: EXPIRED on fal's own 404."""
        try:
            answer = await self.api.read("GET", url, "polling fal", cap=_RESULT_CAP)
        except CallFailed as failed:
            raise CallFailed(_still_open(failed.failure, step)) from None
        if answer.status == 404 and responses.own_words(answer):
            words = "fal has no record of the request (any more)"
            raise CallFailed(
                Failure(FailureKind.EXPIRED, words, Billed.UNKNOWN, 404, request_id=step.request_id)
            )
        return answer

    async def _status(self, url: str, step: Accepted) -> tuple[bool, str]:
        """(whether it has ended, why it failed: empty where the status does not say that it did)."""
        answer = await self._ask(url, step)
        body = mapping(answer.body)
        word = body.get("status")
        if body.get("request_id", step.request_id) != step.request_id:
            self.warn("fal answered about another request than the one asked for; asked again")
            raise CallFailed(_asked_again("fal answered about another request", step))
        if answer.status not in (200, 202) or not isinstance(word, str):
            raise CallFailed(_still_open(responses.of_read(answer, "polling a call"), step))
        if word != "COMPLETED" and word not in _WAITING:
            self.warn(
                f"fal reported the unknown status '{shown(word, longest=40)}'; treated as still "
                "running"
            )
        error = body.get("error") or body.get("error_type")
        return word == "COMPLETED", shown(str(error)) if error else ""

    def _check_failed(self, answer: Response, step: Accepted, said: bool, times: int) -> None:
        """What an ended call says instead of a result. Raises `CallFailed`, or returns: ask again.

        A failure is believed where the status `said` so too, or fal's header does. One that came `times` in a row
        in fal's own words, and nowhere else, may be a gateway's: the history tells whether it was billed.
        """
        if answer.status in (202, 429) or not responses.own_words(answer):
            if answer.status == 202:
                return
            raise CallFailed(_still_open(responses.of_read(answer, "reading a result"), step))
        if answer.status in (401, 403):  # about this look, not about the call
            raise CallFailed(_still_open(responses.of_read(answer, "reading a result"), step))
        sure = said or responses.ERROR_TYPE in answer.headers
        if sure or times >= _CONVINCED:
            why = responses.detail(answer)
            failure = responses.of_job(answer.status, why, step.request_id)
            if not sure and failure.billed is Billed.NO:
                failure = responses.unconfirmed(failure)
            raise CallFailed(failure)


_RESULT_CAP = 4 << 20


def _still_open(failure: Failure, step: Accepted) -> Failure:
    """A failed look at an accepted call: the call itself goes on and may be billed."""
    passing = failure.kind in (FailureKind.UNSENT, FailureKind.UNAVAILABLE)
    return dataclasses.replace(
        failure,
        kind=FailureKind.PENDING if passing else failure.kind,
        message=failure.message.replace("; this is not billed", "")
        + "; the call was accepted, the next run collects it",
        billed=Billed.UNKNOWN,
        request_id=step.request_id,
    )


def _asked_again(words: str, step: Accepted) -> Failure:
    return _still_open(Failure(FailureKind.UNAVAILABLE, words), step)


def _known(step: Accepted, answer: Response) -> ResultKnown:
    found = mapping(answer.body)
    cost = cost_of(str(step.details.get("model")), answer.headers.get(_UNITS))
    url = image_url(found)
    if not url:
        words = (
            "fal completed the call but named no image (yet); it was paid for, and is polled again"
        )
        raise CallFailed(
            Failure(
                FailureKind.PENDING, words, Billed.YES, 200, cost=cost,
                request_id=step.request_id, kept=answer.body[:KEPT],
            )
        )  # fmt: skip
    seed = found.get("seed")
    sound = isinstance(seed, int) and not isinstance(seed, bool) and abs(seed) < 10**20
    details = FrozenMap({**step.details, **({"seed": seed} if sound else {})})
    return ResultKnown(step.request_id, url, cost, details)


def cost_of(name: str, units: str | None) -> Micros | None:
    """What fal says that a call cost: units × the price of one, for a model that is charged by size. What
    a unit is for other models is not documented, so that their list price counts. None: not known."""
    model = models.model(name)
    if model is None or model.by_size is None or units is None:
        return None
    each = amount(units)
    return None if each is None else round(each * model.by_size.unit.high / 1_000_000)


def image_url(found: Mapping[str, Any]) -> str:
    """The first URL of an image in a result: `images[]` or `image`; empty where there is none."""
    images = found.get("images")
    for one in (*(images if isinstance(images, list) else ()), found.get("image")):
        url = one.get("url") if isinstance(one, dict) else one
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            return url
    return ""
