"""Protocol v1: one call that answers when the work is done, as image bytes or as JSON.

A 200 is billed when its headers arrive, so `submit` hands them back before it reads the body: id and
cost become durable first. The body stays open in the step, for `collect` in the same process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from relightflow.backends.http import sessions
from relightflow.backends.http.client import BROKEN, Api, reason
from relightflow.backends.http.response import (
    KEPT,
    Response,
    amount,
    is_image_data,
    parsed,
    usable_id,
)
from relightflow.backends.http.sanitize import shown
from relightflow.backends.segmind import answers
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.images import BadImage, probe
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Completed, PaidUnfetched, ResultKnown
from relightflow.model.values import FrozenMap
from relightflow.network.body import TooLarge, Unreadable, pieces

SHORTEST_SECONDS = 120.0
FACTOR = 12.0
"""Patience for an answer, in typical times: giving up on a call means that its outcome is unknown."""
BODY_SECONDS = 300.0


class Cut(Exception):
    """The body of a paid answer ended too early; the message says how."""

    def __init__(self, how: str, kept: bytes = b"") -> None:
        self.kept = kept
        """What came."""
        super().__init__(how)


class _OpenBody(AsyncIterator[bytes]):
    """The unread body of an open answer; unpacked, capped, and closed at its end or on failure."""

    def __init__(self, response: aiohttp.ClientResponse, cap: int) -> None:
        self._response = response
        self._pieces = pieces(response, cap)

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except BaseException:
            self._response.close()  # at the end its connection has gone back already
            raise

    def close(self) -> None:
        self._response.close()


async def submit(
    api: Api[SegmindHosts], model: str, inputs: Mapping[str, Any], typical: float | None, now: float
) -> PaidUnfetched | Response:
    """The one billable POST. A `Response` is a refusal that the caller turns into a failure."""
    seconds = max(SHORTEST_SECONDS, (typical or 0.0) * FACTOR)
    response, late = await api.post_once(api.hosts.submit("v1", model), inputs, seconds)
    if response.status != 200:
        async with response:
            return await api.whole(response, late, statuses=True)
    headers = response.headers
    request_id = usable_id(headers.get("x-request-id"))
    if response.content_type.startswith("text/") and not request_id:
        async with response:  # a page without the gateway's headers: a proxy's, most likely
            return await api.whole(response, late, statuses=True)
    as_json = "json" in response.content_type
    facts = {"api": "v1", "model": model, "submitted": now, **answers.header_details(headers)}
    return PaidUnfetched(
        request_id,
        amount(headers.get("x-cost")),
        FrozenMap(facts),
        _OpenBody(response, _json_cap() if as_json else sessions.IMAGE_CAP),
    )


async def finish(step: PaidUnfetched) -> Completed | ResultKnown:
    """Read the open body. Raises `Cut` where it ended early, else `CallFailed`: paid, whatever it is."""
    assert step.body is not None
    try:
        async with asyncio.timeout(BODY_SECONDS):
            data = b"".join([piece async for piece in step.body])
    except TooLarge as error:
        raise CallFailed(
            _paid(step, FailureKind.TOO_LARGE, f"the answer is too large: {error}")
        ) from None
    except Unreadable as error:
        raise CallFailed(_paid(step, FailureKind.BAD_RESULT, f"the answer is {error}")) from None
    except BROKEN as error:
        raise Cut(reason(error)) from None
    finally:
        if isinstance(step.body, _OpenBody):
            step.body.close()
    return _result(step, data)


def _result(step: PaidUnfetched, data: bytes) -> Completed | ResultKnown:
    if not is_image_data(data):
        answer = parsed(data)
        if url := answers.output_url(answer):
            return ResultKnown(step.request_id, url, step.cost, step.details)
        image = answers.inline_image(answer)
        if not image:
            raise CallFailed(_paid(step, FailureKind.BAD_RESULT, _what(data), kept=data[:KEPT]))
        if len(image) > sessions.IMAGE_CAP:
            raise CallFailed(_paid(step, FailureKind.TOO_LARGE, "the image is too large"))
        data = image
    try:
        probe(data)
    except (
        BadImage
    ) as flaw:  # where no length was sent, nothing else tells that the rest is missing
        raise Cut(str(flaw), data[:KEPT]) from None
    return Completed(data, step.cost, step.request_id, step.details)


def _what(data: bytes) -> str:
    """What came instead of an image."""
    if not data:
        return "the answer is empty"
    begin = shown(data[:4000].decode("utf-8", "replace"), longest=120)
    return f"the answer is not a supported image; it begins with: {begin}"


def _paid(step: PaidUnfetched, kind: FailureKind, words: str, kept: bytes = b"") -> Failure:
    return Failure(
        kind,
        f"{words}; it was paid for",
        Billed.YES,
        200,
        cost=step.cost,
        request_id=step.request_id,
        kept=kept,
    )


def _json_cap() -> int:
    """An image at its cap, as base64, and the JSON around it."""
    return sessions.IMAGE_CAP * 4 // 3 + sessions.JSON_CAP
