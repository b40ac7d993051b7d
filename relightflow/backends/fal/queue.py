"""fal's queue: submit, poll, result. The answer to a submit comes at once; the work is done later.

Source: fal's queue pages and its own client. A failed call is COMPLETED too: its result answers with the
model's status. URLs are built from the checked request id; those in the answers are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relightflow.backends.fal import models, responses
from relightflow.backends.fal.hosts import FalHosts
from relightflow.backends.http.client import Api
from relightflow.backends.http.queue import Finished, QueuePoller, Repeats, accepted
from relightflow.backends.http.response import (
    Response,
    amount,
    first_url,
    mapping,
    seed_of,
    usable_id,
)
from relightflow.backends.http.sanitize import shown
from relightflow.backends.http.verdicts import still_open
from relightflow.backends.table import row_of
from relightflow.model.failure import Billed, CallFailed, Failure
from relightflow.model.money import Micros
from relightflow.model.step import Accepted, ResultKnown
from relightflow.model.values import FrozenMap

SUBMIT_SECONDS = 90.0
START_SECONDS = 3600
"""A call that no runner has taken up after so long is given up by fal, unbilled. With it the time is
bounded after which a call that the history lacks cannot be waiting any more."""
RUN_SECONDS = 3600.0
"""Longer than any of these models works on one image."""
_HEADERS = {"X-Fal-Request-Timeout": str(START_SECONDS)}
_UNITS = "x-fal-billable-units"
_CONVINCED = 3
"""Equal answers in a row after which a failure that nothing confirms ends the wait."""


async def submit(api: Api[FalHosts], model: str, inputs: Mapping[str, Any], now: float) -> Accepted:
    """The one billable POST. Raises `CallFailed`."""
    answer = await api.post_whole(
        api.hosts.submit(model), inputs, SUBMIT_SECONDS, headers=_HEADERS, statuses=True
    )
    if answer.status != 200:
        raise CallFailed(responses.of_submit(answer, model))
    return accepted(answer, "request_id", responses.VERDICTS, model=model, submitted=now)


class FalPoller(QueuePoller[FalHosts]):
    """Follows accepted requests to their result."""

    longest = START_SECONDS + RUN_SECONDS
    waiting = ("IN_QUEUE", "IN_PROGRESS")
    cap = 4 << 20

    def _known(self, step: Accepted) -> bool:
        known = row_of(models.TABLE, str(step.details.get("model")))
        return bool(usable_id(step.request_id)) and known is not None

    async def _look(self, step: Accepted, repeats: Repeats) -> Finished | None:
        url = self.api.hosts.result(str(step.details["model"]), step.request_id)
        done, failed = await self._status(f"{url}/status", step)
        if not done:
            return None
        answer = await self._ask(url, step, responses.own_words)
        if answer.status == 200:
            return Finished(_known(step, answer))
        self._check_failed(answer, step, bool(failed), repeats.count(answer))
        return None

    async def _status(self, url: str, step: Accepted) -> tuple[bool, str]:
        """(whether it has ended, why it failed: empty where the status does not say that it did)."""
        answer = await self._ask(url, step, responses.own_words)
        body = mapping(answer.body)
        word = body.get("status")
        self._about(body, "request_id", step)
        if answer.status not in (200, 202) or not isinstance(word, str):
            raise CallFailed(self._missed(answer, "polling a call", step))
        error = body.get("error") or body.get("error_type")
        return self._ended(word, "COMPLETED"), shown(str(error)) if error else ""

    def _check_failed(self, answer: Response, step: Accepted, said: bool, times: int) -> None:
        """What an ended call says instead of a result. Raises `CallFailed`, or returns: ask again.

        That it failed is believed where the status `said` so or fal's header is there; that it was unbilled only with
        the header, since the number alone tells it, and a gateway has numbers of its own. Without it the answer is
        asked for until it came `times` in a row, and the history decides.
        """
        if answer.status == 202:
            return
        if answer.status in (401, 403, 429) or not responses.own_words(answer):
            raise CallFailed(self._missed(answer, "reading a result", step))  # about this look
        failure = responses.of_job(answer.status, responses.detail(answer), step.request_id)
        if responses.ERROR_TYPE in answer.headers or (said and failure.billed is not Billed.NO):
            raise CallFailed(failure)
        if times >= _CONVINCED:
            raise CallFailed(responses.unconfirmed(failure))

    def _missed(self, answer: Response, doing: str, step: Accepted) -> Failure:
        return still_open(responses.VERDICTS.of_read(answer, doing), step.request_id)


def _known(step: Accepted, answer: Response) -> ResultKnown:
    found = mapping(answer.body)
    cost = cost_of(str(step.details.get("model")), answer.headers.get(_UNITS))
    url = image_url(found)
    if not url:
        raise CallFailed(responses.VERDICTS.without_image(step.request_id, cost, answer.body))
    details = FrozenMap({**step.details, **seed_of(found)})
    return ResultKnown(step.request_id, url, cost, details)


def cost_of(name: str, units: str | None) -> Micros | None:
    """What fal says that a call cost: units × the price of one, for a model that is charged by size. What
    a unit is for other models is not documented, so that their list price counts. None: not known."""
    row = row_of(models.TABLE, name)
    if row is None or row.model.by_size is None or units is None:
        return None
    each = amount(units)
    return None if each is None else round(each * row.model.by_size.unit.high / 1_000_000)


def image_url(found: Mapping[str, Any]) -> str:
    """The first URL of an image in a result: `images[]` or `image`; empty where there is none."""
    images = found.get("images")
    places = (*(images if isinstance(images, list) else ()), found.get("image"))
    return first_url(one.get("url") if isinstance(one, dict) else one for one in places)
