"""Faults of the facts in an answer: cost, id, status word, URLs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from relightflow.backends.emulator.faults.answer import fill, with_body
from relightflow.backends.emulator.faults.kinds import fault
from relightflow.backends.emulator.faults.wire import true_answer
from relightflow.backends.emulator.protocols import PROTOCOLS
from relightflow.backends.emulator.provider import EmulatedCall

_POLLS = ("status", "result")


@fault("cost", ("submit", "result", "status"))
async def cost(
    call: EmulatedCall, *, value: Any = None, times: float | None = None
) -> web.StreamResponse:
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
async def request_id(call: EmulatedCall, *, value: Any = "missing") -> web.StreamResponse:
    """The request's id is `missing` from the answer, or is `value`: null, a number, `../../etc/passwd`."""
    answer, body = await true_answer(call)
    if "x-request-id" in answer.headers:
        answer.headers.popall("x-request-id")
        if value not in ("missing", None):
            answer.headers["x-request-id"] = str(value)
        return answer

    name = PROTOCOLS[call.provider.config.protocol].identity

    def change(found: dict[str, Any]) -> None:
        found.pop(name, None)
        if value != "missing":
            found[name] = value

    return _altered(answer, body, change)


@fault("unknown-status", ("submit", *_POLLS))
async def _unknown_status(call: EmulatedCall, *, word: str = "WARMING_UP") -> web.StreamResponse:
    """A status word that nobody has documented."""
    return await _set(call, lambda found: found.update(status=word))


@fault("output-url", ("submit", *_POLLS, "history"))
async def output_url(call: EmulatedCall, *, url: str) -> web.StreamResponse:
    """Another place for the result (`{port}` and `{path}` of the true one are filled in)."""
    return await _set(call, lambda found: _replace_urls(call, found, url))


@fault("status-url", ("submit",))
async def status_url(call: EmulatedCall, *, url: str) -> web.StreamResponse:
    """`poll_url`, `status_url` and `response_url` point elsewhere (`{port}`, `{path}`)."""
    places = ("poll_url", "status_url", "response_url")
    filled = fill(call, url)
    return await _set(call, lambda found: found.update(dict.fromkeys(places, filled)))


def _altered(
    answer: web.Response, body: bytes, change: Callable[[dict[str, Any]], None]
) -> web.Response:
    """`answer` with its JSON changed; anything else as it is."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return answer
    if not isinstance(found, dict):
        return answer
    change(found)
    return with_body(answer, json.dumps(found).encode())


async def _set(call: EmulatedCall, change: Callable[[dict[str, Any]], None]) -> web.Response:
    answer, body = await true_answer(call)
    return _altered(answer, body, change)


def _replace_urls(call: EmulatedCall, found: dict[str, Any], url: str) -> None:
    def place(true: Any) -> str:
        path = "/" + str(true).split("/", 3)[-1]
        return fill(call, url, path)

    if found.get("output"):
        many = isinstance(found["output"], list)
        found["output"] = [place(u) for u in found["output"]] if many else place(found["output"])
    for image in (*(found.get("images") or ()), found.get("image")):
        if image:
            image["url"] = place(image["url"])
    for row in found.get("items") or ():
        _replace_urls(call, row.get("json_output") or {}, url)
    for row in found.get("results") or ():
        _replace_urls(call, row, url)
    if found.get("generation_url"):
        found["generation_url"] = place(found["generation_url"])
