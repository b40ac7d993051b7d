"""Predictions: submit and poll. The answer to a submit comes at once; the work is done later.

URLs are built from the checked id; those in the answers are ignored. Everything that a prediction holds is
deleted an hour after it was made: what is found deleted was paid for, and is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relightflow.backends.http.queue import Finished, QueuePoller, Repeats
from relightflow.backends.http.response import KEPT, Response, mapping, usable_id
from relightflow.backends.http.verdicts import still_open
from relightflow.backends.replicate import responses
from relightflow.backends.replicate.hosts import ReplicateApi, ReplicateHosts
from relightflow.backends.replicate.models import DEADLINE, ModelRow
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import EXPIRES, Accepted, ResultKnown
from relightflow.model.values import FrozenMap

SUBMIT_SECONDS = 90.0
_HEADERS = {"Cancel-After": f"{DEADLINE // 60}m"}
_ENDS = ("succeeded", "failed", "canceled", "aborted")
KEPT_SECONDS = 3600.0
"""After which a prediction's inputs and results are deleted."""
_CONVINCED = 2
"""Equal looks in a row after which a failure is believed."""


async def submit(
    api: ReplicateApi, row: ModelRow, inputs: Mapping[str, Any], now: float
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
    request_id = usable_id(mapping(answer.body).get("id"))
    if not request_id:
        words = "Replicate accepted the call, but the answer contains no usable id"
        raise CallFailed(responses.VERDICTS.unknown(words, answer.status, answer.body))
    return Accepted(
        request_id, FrozenMap({"model": name, "submitted": now, EXPIRES: now + KEPT_SECONDS})
    )


@dataclass(frozen=True, slots=True)
class ReplicatePoller(QueuePoller[ReplicateHosts]):
    """Follows predictions to their result."""

    longest = 3600.0
    """After an hour there is nothing to wait for."""
    waiting = ("starting", "processing", "queued", "booting")
    cap = 4 << 20

    def _own(self, answer: Response) -> bool:
        return responses.own_words(answer)

    async def _look(self, step: Accepted, repeats: Repeats) -> Finished | None:
        answer, found = await self.read(step)
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

    async def read(self, step: Accepted | ResultKnown) -> tuple[Response, dict[str, Any]]:
        """The prediction as it is now. Raises `CallFailed`."""
        asked = Accepted(step.request_id, step.details)
        answer = await self._ask(self.api.hosts.prediction(step.request_id), asked)
        found = mapping(answer.body)
        self._about(found, "id", asked)
        if answer.status != 200 or not isinstance(found.get("status"), str):
            failure = responses.of_read(answer, "polling a call")
            raise CallFailed(still_open(failure, step.request_id))
        return answer, found


def known(step: Accepted, found: Mapping[str, Any]) -> ResultKnown:
    """The result of a prediction that succeeded. Raises `CallFailed` where it is lost, or not there yet."""
    url = responses.image_url(found)
    if url:
        return ResultKnown(step.request_id, url, responses.cost_of(found), step.details)
    if responses.removed(found):
        raise CallFailed(responses.lost(found, step.request_id))
    words = "Replicate completed the call but named no image (yet); it was paid for, and is polled again"
    raise CallFailed(
        Failure(
            FailureKind.PENDING, words, Billed.YES, 200, cost=responses.cost_of(found),
            request_id=step.request_id, kept=str(dict(found)).encode()[:KEPT],
        )
    )  # fmt: skip


def _seconds(found: Mapping[str, Any]) -> float | None:
    """How long the call took, waiting included, on Replicate's word."""
    metrics = found.get("metrics")
    said = metrics.get("total_time") if isinstance(metrics, Mapping) else None
    sound = isinstance(said, int | float) and not isinstance(said, bool) and 0 <= said < 1e6
    return float(said) if sound else None  # type: ignore[arg-type]  # a number, as was just seen
