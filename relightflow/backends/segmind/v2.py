"""Protocol v2: submit, poll, fetch. The answer to a submit comes at once; the work is done later.

Source: the provider's v2 pages. A failed job is served with status 422 on both GETs. URLs are built
from the checked request id; those in the answers are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from relightflow.backends.http.client import Api
from relightflow.backends.http.queue import Finished, QueuePoller, Repeats, accepted
from relightflow.backends.http.response import Response, mapping
from relightflow.backends.http.sanitize import shown
from relightflow.backends.http.verdicts import still_open
from relightflow.backends.segmind import answers, responses
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown
from relightflow.model.values import FrozenMap

SUBMIT_SECONDS = 90.0


async def submit(
    api: Api[SegmindHosts], model: str, inputs: Mapping[str, Any], now: float
) -> Accepted | Response:
    """The one billable POST. A `Response` is a refusal that the caller turns into a failure."""
    answer = await api.post_whole(
        api.hosts.submit("v2", model), inputs, SUBMIT_SECONDS, statuses=True
    )
    if answer.status != 200:
        return answer
    facts = {"api": "v2", "model": model, "submitted": now}
    return accepted(answer, "request_id", responses.VERDICTS, **facts)


class SegmindPoller(QueuePoller[SegmindHosts]):
    """Follows accepted requests to their result."""

    longest = 7200.0
    """Twice as long as the provider keeps a request's record."""
    waiting = ("QUEUED", "PROCESSING")

    async def _look(self, step: Accepted, repeats: Repeats) -> Finished | None:  # noqa: ARG002  one answer is enough here
        answer = await self._get(self.api.hosts.status, step)
        if not await self._done(answer, step):
            return None
        # the provider is asked again only if it takes its word back
        final = await self._get(self.api.hosts.result, step)
        if not await self._done(final, step):
            return None
        return Finished(_known(step, mapping(final.body)), _seconds(answer, final))

    async def _get(self, url: Callable[[str], str], step: Accepted) -> Response:
        return await self._ask(url(step.request_id), step, responses.from_gateway)

    async def _done(self, answer: Response, step: Accepted) -> bool:
        """Whether the job is done. Raises `CallFailed` where it failed or nobody could say."""
        body = mapping(answer.body)
        word = body.get("status")
        self._about(body, "request_id", step)
        if _says_failed(answer):
            again = await self._get(self.api.hosts.result, step)
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
    cost, url = answers.result_cost(answer), answers.output_url(answer)
    if not url:
        body = str(dict(answer)).encode()
        raise CallFailed(responses.VERDICTS.without_image(step.request_id, cost, body))
    details = FrozenMap({**step.details, **answers.result_details(answer)})
    return ResultKnown(step.request_id, url, cost, details)
