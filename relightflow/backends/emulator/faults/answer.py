"""Faults of the answer as a whole: wrong status, wrong body, wrong headers."""

from __future__ import annotations

import json
import random
from typing import Any, Literal

from aiohttp import web

from relightflow.backends.emulator import answers
from relightflow.backends.emulator.clock import http_date, reset_text
from relightflow.backends.emulator.faults.kinds import JSON_CALLS, fault
from relightflow.backends.emulator.faults.wire import true_answer
from relightflow.backends.emulator.protocols import PROTOCOLS
from relightflow.backends.emulator.provider import EmulatedCall


@fault("status")
async def status(
    call: EmulatedCall,
    *,
    code: int,
    body: Literal["json", "html", "none"] = "json",
    message: str = "Something went wrong",
    billed: bool = False,
) -> web.StreamResponse:
    """A status with JSON in the gateway's envelope, an HTML page or no body; the work done if `billed`."""
    if billed:
        await call.proceed()
    else:
        await call.request.read()
    if body == "json":
        return _refusal(call, code, message)
    return answers.html(code, message) if body == "html" else web.Response(status=code)


@fault("rate-limit")
async def rate_limit(
    call: EmulatedCall,
    *,
    reset: Literal["good", "missing", "garbage", "past", "far"] = "good",
    seconds: float = 1.0,
) -> web.StreamResponse:
    """429 whose reset header is good (in `seconds`), missing, garbage, past or a day away. Unbilled."""
    await call.request.read()
    clock, spelling = call.provider.clock, call.provider.config.reset_format
    away = {"good": seconds, "past": -60.0, "far": 86400.0}
    headers = {}
    if reset in away:
        moment = clock.now() + clock.skew + away[reset]
        headers["x-rate-limit-reset-at-utc"] = reset_text(moment, spelling)
    elif reset == "garbage":
        headers["x-rate-limit-reset-at-utc"] = "soon, perhaps"
    words = "Rate limit exceeded. Please try again later."
    return _refusal(call, 429, words, headers)


@fault("redirect")
async def redirect(call: EmulatedCall, *, to: str, code: int = 307) -> web.StreamResponse:
    """A redirect to another place (`{port}` and `{path}` are filled in). Unbilled."""
    await call.request.read()
    return web.Response(status=code, headers={"Location": fill(call, to)})


@fault("empty")
async def empty(call: EmulatedCall) -> web.StreamResponse:
    """The true status and headers, and no body."""
    answer, _ = await true_answer(call)
    return with_body(answer, b"")


@fault("html")
async def html(call: EmulatedCall) -> web.StreamResponse:
    """The true status with an HTML page, as a proxy in between sends it."""
    answer, _ = await true_answer(call)
    page = answers.html(answer.status, "Welcome").body
    assert isinstance(page, bytes)
    return with_body(answer, page, "text/html; charset=utf-8")


@fault("garbage")
async def garbage(call: EmulatedCall, *, size: int = 5000) -> web.StreamResponse:
    """The true status and content type, and a body of noise."""
    answer, _ = await true_answer(call)
    return with_body(answer, random.Random(size).randbytes(size))  # noqa: S311 - only noise


@fault("short")
async def short(call: EmulatedCall, *, keep: float = 0.5) -> web.StreamResponse:
    """Only the first part (`keep`) of the body, with a length that agrees: nothing shows on the wire."""
    answer, body = await true_answer(call)
    return with_body(answer, body[: int(len(body) * keep)])


@fault("wrong-type")
async def _wrong_type(
    call: EmulatedCall, *, content_type: str = "text/plain"
) -> web.StreamResponse:
    """The true body under another content type."""
    answer, body = await true_answer(call)
    return with_body(answer, body, content_type)


@fault("huge-headers")
async def _huge_headers(call: EmulatedCall, *, size: int = 20_000) -> web.StreamResponse:
    """The true answer with a header of `size` bytes."""
    answer, _ = await true_answer(call)
    answer.headers["x-padding"] = "x" * size
    return answer


@fault("clock-skew")
async def clock_skew(call: EmulatedCall, *, seconds: float) -> web.StreamResponse:
    """The true answer with a `Date` that is so many seconds ahead."""
    answer, _ = await true_answer(call)
    answer.headers["Date"] = http_date(call.provider.clock.now() + seconds)
    return answer


@fault("json", JSON_CALLS)
async def _json_(call: EmulatedCall, *, value: Any) -> web.StreamResponse:
    """The true status with this JSON instead: a list, a number, an object of another shape."""
    answer, _ = await true_answer(call)
    return with_body(answer, json.dumps(value).encode(), "application/json")


def with_body(answer: web.Response, body: bytes, content_type: str | None = None) -> web.Response:
    """`answer` with another body, and perhaps another content type."""
    headers = dict(answer.headers)
    headers.pop("Content-Length", None)
    if content_type is not None:
        headers["Content-Type"] = content_type
    return web.Response(body=body, status=answer.status, headers=headers)


def fill(call: EmulatedCall, url: str, path: str = "") -> str:
    """`url` with `{port}` and `{path}` filled in: our own port, the true path."""
    port = call.provider.base.rpartition(":")[2]
    return url.replace("{port}", port).replace("{path}", path or call.request.path)


def _refusal(
    call: EmulatedCall, status: int, message: str, headers: dict[str, str] | None = None
) -> web.Response:
    """A refusal in the words of the protocol that is served."""
    reason = PROTOCOLS[call.provider.config.protocol].reason
    return answers.as_json({reason: message}, status, headers)
