"""Predictions: submit and poll. The answer to a submit comes at once; the work is done later.

URLs are built from the checked id; those in the answers are ignored. Everything that a prediction holds is
deleted an hour after it was made: what is found deleted was paid for, and is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relightflow.backends.http.client import Api
from relightflow.backends.http.queue import Finished, QueuePoller, Repeats, accepted
from relightflow.backends.http.response import Response, mapping, number
from relightflow.backends.http.verdicts import still_open
from relightflow.backends.replicate import responses
from relightflow.backends.replicate.hosts import ReplicateHosts
from relightflow.backends.replicate.models import DEADLINE, ReplicateRow
from relightflow.model.failure import CallFailed
from relightflow.model.step import EXPIRES, Accepted, ResultKnown

SUBMIT_SECONDS = 90.0
_HEADERS = {"Cancel-After": f"{DEADLINE // 60}m"}
_ENDS = ("succeeded", "failed", "canceled", "aborted")
_KEPT_SECONDS = 3600.0
"""After which a prediction's inputs and results are deleted."""
_CONVINCED = 2
"""Equal looks in a row after which a failure is believed."""


async def submit(
    api: Api[ReplicateHosts], row: ReplicateRow, inputs: Mapping[str, Any], now: float
) -> Accepted:
    """The one billable POST. Raises `CallFailed`."""
    name = row.model.name
    body: dict[str, Any] = {"input": dict(inputs)}
    if row.version:
        body["version"] = row.version
    url = api.hosts.predictions if row.version else api.hosts.official(name)
    answer = await api.post_whole(url, body, SUBMIT_SECONDS, headers=_HEADERS, statuses=True)
    if not 200 <= answer.status < 300:
        raise CallFailed(responses.of_submit(answer, name, row.image_field))
    details = {"model": name, "submitted": now, EXPIRES: now + _KEPT_SECONDS}
    return accepted(answer, "id", responses.VERDICTS, **details)


class ReplicatePoller(QueuePoller[ReplicateHosts]):
    """Follows predictions to their result."""

    longest = 3600.0
    """After an hour there is nothing to wait for."""
    waiting = ("starting", "processing", "queued", "booting")
    cap = 4 << 20

    async def _look(self, step: Accepted, repeats: Repeats) -> Finished | None:
        answer = await self._ask(
            self.api.hosts.prediction(step.request_id), step, responses.own_words
        )
        found = mapping(answer.body)
        self._about(found, "id", step)
        if answer.status != 200 or not isinstance(found.get("status"), str):
            failure = responses.VERDICTS.of_read(answer, "polling a call")
            raise CallFailed(still_open(failure, step.request_id))
        status = str(found["status"])
        if not self._ended(status, *_ENDS):
            return None
        if status == "succeeded":
            return Finished(known(step, found), _seconds(found))
        # what is asked again says the same, or it was not the provider's last word
        same = Response(answer.status, body=f"{status} {found.get('error')}".encode())
        if repeats.count(same) < _CONVINCED:
            return None
        raise CallFailed(responses.of_ended(found, status, step.request_id))


def known(step: Accepted, found: Mapping[str, Any]) -> ResultKnown:
    """The result of a prediction that succeeded. Raises `CallFailed` where it is lost, or not there yet."""
    url, cost = responses.image_url(found), responses.cost_of(found)
    if url:
        return ResultKnown(step.request_id, url, cost, step.details)
    if responses.removed(found):
        raise CallFailed(responses.lost(step.request_id, cost))
    body = str(dict(found)).encode()
    raise CallFailed(responses.VERDICTS.without_image(step.request_id, cost, body))


def _seconds(found: Mapping[str, Any]) -> float | None:
    """How long the call took, waiting included, on Replicate's word."""
    metrics = found.get("metrics")
    said = number(metrics.get("total_time")) if isinstance(metrics, Mapping) else None
    return said if said is not None and 0 <= said < 1e6 else None
