"""Faults of the answer: wrong status, wrong body, wrong facts in it, wrong headers."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, Literal

from aiohttp import web

from relightflow.emulator import answers
from relightflow.emulator.clock import http_date, reset_text
from relightflow.emulator.faults.kinds import JSON_CALLS, fault
from relightflow.emulator.faults.wire import true_answer
from relightflow.emulator.provider import Call

_POLLS = ("status", "result")


@fault("status")
async def status(
    call: Call,
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
        return answers.error(code, message)
    return answers.html(code, message) if body == "html" else web.Response(status=code)


@fault("rate-limit")
async def rate_limit(
    call: Call,
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
    return answers.error(429, "Rate limit exceeded. Please try again later.", headers)


@fault("redirect")
async def redirect(call: Call, *, to: str, code: int = 302) -> web.StreamResponse:
    """A redirect to another place (`{port}` and `{path}` are filled in). Unbilled."""
    await call.request.read()
    return web.Response(status=code, headers={"Location": _fill(call, to)})


@fault("empty")
async def empty(call: Call) -> web.StreamResponse:
    """The true status and headers, and no body."""
    answer, _ = await true_answer(call)
    return _with_body(answer, b"")


@fault("html")
async def html(call: Call) -> web.StreamResponse:
    """The true status with an HTML page, as a proxy in between sends it."""
    answer, _ = await true_answer(call)
    page = answers.html(answer.status, "Welcome").body
    assert isinstance(page, bytes)
    return _with_body(answer, page, "text/html; charset=utf-8")


@fault("garbage")
async def garbage(call: Call, *, size: int = 5000) -> web.StreamResponse:
    """The true status and content type, and a body of noise."""
    answer, _ = await true_answer(call)
    return _with_body(answer, random.Random(size).randbytes(size))  # noqa: S311 - only noise


@fault("short")
async def short(call: Call, *, keep: float = 0.5) -> web.StreamResponse:
    """Only the first part (`keep`) of the body, with a length that agrees: nothing shows on the wire."""
    answer, body = await true_answer(call)
    return _with_body(answer, body[: int(len(body) * keep)])


@fault("wrong-type")
async def wrong_type(call: Call, *, content_type: str = "text/plain") -> web.StreamResponse:
    """The true body under another content type."""
    answer, body = await true_answer(call)
    return _with_body(answer, body, content_type)


@fault("huge-headers")
async def huge_headers(call: Call, *, size: int = 20_000) -> web.StreamResponse:
    """The true answer with a header of `size` bytes."""
    answer, _ = await true_answer(call)
    answer.headers["x-padding"] = "x" * size
    return answer


@fault("clock-skew")
async def clock_skew(call: Call, *, seconds: float) -> web.StreamResponse:
    """The true answer with a `Date` that is so many seconds ahead."""
    answer, _ = await true_answer(call)
    answer.headers["Date"] = http_date(call.provider.clock.now() + seconds)
    return answer


@fault("cost", ("submit", "result", "status"))
async def cost(call: Call, *, value: Any = None, times: float | None = None) -> web.StreamResponse:
    """Charge `times` the price (at submit), or show `value` as the cost: `missing`, `NaN`, -1, text.

    At status and result `times` alters only what is shown.
    """
    if times is not None and call.phase == "submit":
        call.facts["cost_times"] = times
    answer, body = await true_answer(call)
    if value is not None and "x-cost" in answer.headers:
        answer.headers.popall("x-cost")
        if value != "missing":
            answer.headers["x-cost"] = str(value)
    if call.phase == "submit":
        return answer

    def change(found: dict[str, Any]) -> None:
        metrics = found.get("metrics") or {}
        if value == "missing":
            metrics.pop("cost", None)
        elif value is not None:
            metrics["cost"] = float("nan") if value == "NaN" else value
        elif times is not None and "cost" in metrics:
            metrics["cost"] = round(metrics["cost"] * times, 6)

    return _altered(answer, body, change)


@fault("request-id", ("submit", *_POLLS))
async def request_id(call: Call, *, value: Any = "missing") -> web.StreamResponse:
    """The request's id is `missing` from the answer, or is `value`: null, a number, `../../etc/passwd`."""
    answer, body = await true_answer(call)
    if "x-request-id" in answer.headers:
        answer.headers.popall("x-request-id")
        if value not in ("missing", None):
            answer.headers["x-request-id"] = str(value)
        return answer

    def change(found: dict[str, Any]) -> None:
        found.pop("request_id", None)
        if value != "missing":
            found["request_id"] = value

    return _altered(answer, body, change)


@fault("unknown-status", ("submit", *_POLLS))
async def unknown_status(call: Call, *, word: str = "WARMING_UP") -> web.StreamResponse:
    """A status word that nobody has documented."""
    return await _set(call, lambda found: found.update(status=word))


@fault("output-url", ("submit", "result", "history"))
async def output_url(call: Call, *, url: str) -> web.StreamResponse:
    """Another place for the result (`{port}` and `{path}` of the true one are filled in)."""
    return await _set(call, lambda found: _replace_urls(call, found, url))


@fault("status-url", ("submit",))
async def status_url(call: Call, *, url: str) -> web.StreamResponse:
    """`poll_url`, `status_url` and `response_url` point elsewhere (`{port}`, `{path}`)."""
    places = ("poll_url", "status_url", "response_url")
    filled = _fill(call, url)
    return await _set(call, lambda found: found.update(dict.fromkeys(places, filled)))


@fault("json", JSON_CALLS)
async def json_(call: Call, *, value: Any) -> web.StreamResponse:
    """The true status with this JSON instead: a list, a number, an object of another shape."""
    answer, _ = await true_answer(call)
    return _with_body(answer, json.dumps(value).encode(), "application/json")


@fault("job-failed", ("submit",))
async def job_failed(call: Call, *, error: str = "Inference failed") -> web.StreamResponse:
    """The job is taken, runs and fails, unbilled: 422 on v2's polls, 500 on v1."""
    call.facts["error"] = error
    return await call.proceed()


@fault("slow-job", ("submit",))
async def slow_job(call: Call, *, seconds: float) -> web.StreamResponse:
    """The job takes so many seconds, whatever the latency is: PROCESSING for an hour, say."""
    call.facts["seconds"] = seconds
    return await call.proceed()


@fault("expire", ("submit",))
async def expire(call: Call, *, after: float = 0.0) -> web.StreamResponse:
    """The v2 record is forgotten so many seconds after it was taken."""
    call.facts["life"] = after
    return await call.proceed()


@fault("unrecorded", ("submit",))
async def unrecorded(call: Call) -> web.StreamResponse:
    """The request never shows in the history."""
    call.facts["hidden"] = True
    return await call.proceed()


def _with_body(answer: web.Response, body: bytes, content_type: str | None = None) -> web.Response:
    headers = dict(answer.headers)
    headers.pop("Content-Length", None)
    if content_type is not None:
        headers["Content-Type"] = content_type
    return web.Response(body=body, status=answer.status, headers=headers)


def _altered(
    answer: web.Response, body: bytes, change: Callable[[dict[str, Any]], None]
) -> web.Response:
    """`answer` with its JSON changed; anything else as it is."""
    try:
        found = json.loads(body)
    except ValueError:
        return answer
    if not isinstance(found, dict):
        return answer
    change(found)
    return _with_body(answer, json.dumps(found).encode())


async def _set(call: Call, change: Callable[[dict[str, Any]], None]) -> web.Response:
    answer, body = await true_answer(call)
    return _altered(answer, body, change)


def _replace_urls(call: Call, found: dict[str, Any], url: str) -> None:
    def place(true: Any) -> str:
        path = "/" + str(true).split("/", 3)[-1]
        return _fill(call, url, path)

    if "output" in found:
        many = isinstance(found["output"], list)
        found["output"] = [place(u) for u in found["output"]] if many else place(found["output"])
    for picture in found.get("images") or ():
        picture["url"] = place(picture["url"])
    if found.get("generation_url"):
        found["generation_url"] = place(found["generation_url"])


def _fill(call: Call, url: str, path: str = "") -> str:
    port = call.provider.base.rpartition(":")[2]
    return url.replace("{port}", port).replace("{path}", path or call.request.path)
