"""Protocol v2: submit, poll, fetch. The answer to a submit comes at once; the work is done later.

Source: the provider's v2 pages. A failed job is served with status 422 on both GETs. URLs are built
from the checked request id; those in the answers are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relightflow.backends.http.queue import Finished, QueuePoller, Repeats
from relightflow.backends.http.response import KEPT, Response, mapping, usable_id
from relightflow.backends.http.sanitize import shown
from relightflow.backends.http.verdicts import still_open
from relightflow.backends.segmind import answers, responses
from relightflow.backends.segmind.hosts import SegmindApi, SegmindHosts
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown
from relightflow.model.values import FrozenMap

SUBMIT_SECONDS = 90.0


async def submit(
    api: SegmindApi, model: str, inputs: Mapping[str, Any], now: float
) -> Accepted | Response:
    """The one billable POST. A `Response` is a refusal that the caller turns into a failure."""
    answer = await api.post_whole(
        api.hosts.submit("v2", model), inputs, SUBMIT_SECONDS, statuses=True
    )
    if answer.status != 200:
        return answer
    request_id = usable_id(mapping(answer.body).get("request_id"))
    if not request_id:
        words = "Segmind accepted the call, but the answer contains no usable request id"
        raise CallFailed(responses.VERDICTS.unknown(words, 200, answer.body))
    return Accepted(request_id, FrozenMap({"api": "v2", "model": model, "submitted": now}))


@dataclass(frozen=True, slots=True)
class SegmindPoller(QueuePoller[SegmindHosts]):
    """Follows accepted requests to their result."""

    longest = 7200.0
    """Twice as long as the provider keeps a request's record."""
    waiting = ("QUEUED", "PROCESSING")

    def _own(self, answer: Response) -> bool:
        return responses.from_gateway(answer)

    async def _look(self, step: Accepted, repeats: Repeats) -> Finished | None:  # noqa: ARG002  one answer is enough here
        answer = await self._ask(self.api.hosts.status(step.request_id), step)
        if not await self._done(answer, step):
            return None
        # the provider is asked again only if it takes its word back
        final = await self._ask(self.api.hosts.result(step.request_id), step)
        if not await self._done(final, step):
            return None
        return Finished(_known(step, mapping(final.body)), _seconds(answer, final))

    async def _done(self, answer: Response, step: Accepted) -> bool:
        """Whether the job is done. Raises `CallFailed` where it failed or nobody could say."""
        body = mapping(answer.body)
        word = body.get("status")
        self._about(body, "request_id", step)
        if _says_failed(answer):
            again = await self._ask(self.api.hosts.result(step.request_id), step)
            if _says_failed(again) and _is_about(again, step):
                raise CallFailed(_job_failed(again, step, self.api.key))
            words = "Segmind says that the job failed, and its result does not say so"
            raise CallFailed(self._again(words, step))
        if answer.status != 200:
            failure = responses.of_read(answer, "polling a job")
            raise CallFailed(still_open(failure, step.request_id))
        if not isinstance(word, str):
            failure = Failure(FailureKind.PENDING, "Segmind's answer to a poll cannot be read")
            raise CallFailed(still_open(failure, step.request_id))
        return self._ended(word, "COMPLETED")


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


def _seconds(status: Response, result: Response) -> float | None:
    """How long the job took, on the provider's word; None: it does not say."""
    for answer in (result, status):
        said = answers.server_seconds(mapping(answer.body))
        if said is not None:
            return said
    return None


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
