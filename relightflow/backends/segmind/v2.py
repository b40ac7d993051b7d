"""Protocol v2: submit, poll, fetch. The answer to a submit comes at once; the work is done later.

Source: the provider's v2 pages. A failed job is served with status 422 on both GETs. URLs are built
from the checked request id; those in the answers are ignored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from relightflow.backends.http import sessions
from relightflow.backends.http.client import BROKEN, reason
from relightflow.backends.http.polling import PollSchedule
from relightflow.backends.http.response import KEPT, Response, mapping, usable_id
from relightflow.backends.http.sanitize import shown
from relightflow.backends.segmind import answers, responses
from relightflow.backends.segmind.hosts import SegmindApi
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown
from relightflow.model.values import FrozenMap
from relightflow.network.body import TooLarge, Unreadable, read_body

SUBMIT_SECONDS = 90.0
_LONGEST_WAIT = 7200.0
"""Twice as long as the provider keeps a request's record."""
_WAITING = ("QUEUED", "PROCESSING")


async def submit(
    api: SegmindApi, model: str, inputs: Mapping[str, Any], now: float
) -> Accepted | Response:
    """The one billable POST. A `Response` is a refusal that the caller turns into a failure."""
    response, late = await api.post_once(api.hosts.submit("v2", model), inputs, SUBMIT_SECONDS)
    async with response:
        if response.status != 200:
            return await refused(response, late)
        try:
            body = await read_body(response, sessions.JSON_CAP)
        except (TooLarge, Unreadable, *BROKEN) as error:
            raise CallFailed(_no_id(f"the answer could not be read: {reason(error)}")) from None
    request_id = usable_id(mapping(body).get("request_id"))
    if not request_id:
        raise CallFailed(_no_id("the answer contains no usable request id", body))
    return Accepted(request_id, FrozenMap({"api": "v2", "model": model, "submitted": now}))


async def refused(response: Any, late: float) -> Response:
    """An answer that is no 200, with as much of its body as could be read. `late`: see `Response`."""
    try:
        body = await read_body(response, sessions.JSON_CAP)
    except (TooLarge, Unreadable, *BROKEN):
        body = b""
    return Response(response.status, response.headers, body, late)


def _no_id(why: str, body: bytes = b"") -> Failure:
    words = f"Segmind accepted the call, but {why}. It may be billed: it is held and looked up"
    return Failure(FailureKind.UNKNOWN, words, Billed.UNKNOWN, 200, kept=body[:KEPT])


@dataclass(frozen=True, slots=True)
class SegmindPoller:
    """Follows accepted requests to their result."""

    api: SegmindApi
    pace: PollSchedule
    warn: Callable[[str], None]
    sleep: Callable[[float], Awaitable[None]]
    monotonic: Callable[[], float]
    wall: Callable[[], float]

    async def result(self, step: Accepted) -> ResultKnown:
        """Wait for `step`'s result. Raises `CallFailed`: EXPIRED where the record is gone."""
        if not usable_id(step.request_id):
            words = "the request id in the ledger is not a valid Segmind id"
            raise CallFailed(Failure(FailureKind.EXPIRED, words, Billed.UNKNOWN))
        began = self.monotonic()
        age = max(0.0, self.wall() - float(step.details.get("submitted", self.wall())))
        for wait in self.pace.waits(age):
            await self.sleep(wait)
            answer = await self._ask(self.api.hosts.status(step.request_id), step)
            if await self._done(answer, step):
                # the provider is asked again only if it takes its word back
                final = await self._ask(self.api.hosts.result(step.request_id), step)
                if await self._done(final, step):
                    waited = self.monotonic() - began
                    self.pace.learn(_seconds(answer, final, waited + age))
                    return _known(step, mapping(final.body))
            if self.monotonic() - began > _LONGEST_WAIT:
                break
        words = "Segmind has not finished after hours; the next run polls again"
        raise CallFailed(
            Failure(FailureKind.PENDING, words, Billed.UNKNOWN, request_id=step.request_id)
        )

    async def _ask(self, url: str, step: Accepted) -> Response:
        """The answer about a request. Raises `CallFailed`: EXPIRED on the gateway's own 404."""
        try:
            answer = await self.api.read("GET", url, "polling Segmind")
        except CallFailed as failed:
            raise CallFailed(_still_open(failed.failure, step)) from None
        if answer.status == 404 and responses.from_gateway(answer):
            # whether to believe it, and when to ask again, is the engine's to decide
            words = "Segmind has no record of the request (any more)"
            raise CallFailed(
                Failure(FailureKind.EXPIRED, words, Billed.UNKNOWN, 404, request_id=step.request_id)
            )
        return answer

    async def _done(self, answer: Response, step: Accepted) -> bool:
        """Whether the job is done. Raises `CallFailed` where it failed or nobody could say."""
        body = mapping(answer.body)
        word = body.get("status")
        if body.get("request_id", step.request_id) != step.request_id:
            self.warn("Segmind answered about another request than the one asked for; asked again")
            words = "Segmind answered about another request"
            raise CallFailed(_still_open(Failure(FailureKind.UNAVAILABLE, words), step))
        if _says_failed(answer):
            again = await self._ask(self.api.hosts.result(step.request_id), step)
            if _says_failed(again) and _is_about(again, step):
                raise CallFailed(_job_failed(again, step, self.api.key))
            words = "Segmind says that the job failed, and its result does not say so"
            raise CallFailed(_still_open(Failure(FailureKind.UNAVAILABLE, words), step))
        if answer.status != 200:
            failure = responses.of_read(answer, "polling a job")
            raise CallFailed(_still_open(failure, step))
        if not isinstance(word, str):
            failure = Failure(FailureKind.PENDING, "Segmind's answer to a poll cannot be read")
            raise CallFailed(_still_open(failure, step))
        if word != "COMPLETED" and word not in _WAITING:
            self.warn(
                f"Segmind reported the unknown job status '{shown(word, longest=40)}'; treated as "
                "still processing"
            )
        return bool(word == "COMPLETED")


def _says_failed(answer: Response) -> bool:
    """The documented answer about a failed job: JSON with that status, with 200 or 422. A 422 in other
    words is not the provider's."""
    body = mapping(answer.body)
    documented = body.get("status") == "FAILED" and isinstance(body.get("error"), str)
    return answer.status in (200, 422) and documented


def _is_about(answer: Response, step: Accepted) -> bool:
    return bool(mapping(answer.body).get("request_id", step.request_id) == step.request_id)


def _job_failed(answer: Response, step: Accepted, key: str) -> Failure:
    """Both documented answers say it, so it is believed: not billed."""
    why = shown(str(mapping(answer.body).get("error") or "no reason given"), key)
    words = f"Segmind ran the job and it failed: {why}; not billed"
    return Failure(FailureKind.JOB_FAILED, words, status=answer.status, request_id=step.request_id)


def _still_open(failure: Failure, step: Accepted) -> Failure:
    """A failed look at an accepted job: the job itself goes on and may be billed."""
    passing = failure.kind in (FailureKind.UNSENT, FailureKind.UNAVAILABLE)
    return dataclasses.replace(
        failure,
        kind=FailureKind.PENDING if passing else failure.kind,
        message=failure.message.replace("; this is not billed", "")
        + "; the job was accepted, the next run collects it",
        billed=Billed.UNKNOWN,
        request_id=step.request_id,
    )


def _seconds(status: Response, result: Response, waited: float) -> float:
    """How long the job took: by the provider's word, else as it looked from here."""
    for answer in (result, status):
        said = answers.server_seconds(mapping(answer.body))
        if said is not None:
            return said
    return waited


def _known(step: Accepted, answer: Mapping[str, Any]) -> ResultKnown:
    cost = answers.result_cost(answer)
    url = answers.output_url(answer)
    if not url:
        words = (
            "Segmind completed the job but named no image (yet); it was paid for, and is polled "
            "again"
        )
        raise CallFailed(
            Failure(
                FailureKind.PENDING,
                words,
                Billed.YES,
                200,
                cost=cost,
                request_id=step.request_id,
                kept=str(dict(answer)).encode()[:KEPT],
            )
        )
    details = FrozenMap({**step.details, **answers.result_details(answer)})
    return ResultKnown(step.request_id, url, cost, details)
