"""A row of the table as spoilt answers, for the emulators that take those: Runware, Comfy."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiohttp import web

from benchmarks.reliability.grid.terms import Act
from relightflow.backends.comfy.emulator import ComfyEmulator
from relightflow.backends.emulator.images import tiny
from relightflow.backends.emulator.plain import PAGE, EmulatedAnswer, How, Spoil

_ALWAYS = 1_000_000
_CREDITS = "X-Comfy-Credits-Used"
_NOISE = Random(5).randbytes(5000)
_PAST = "Mon, 01 Jan 2024 00:00:00 GMT"
_RESETS = {"good": "1", "garbage": "soon, perhaps", "past": _PAST, "far": "86400"}
_COMFY = {
    "malformed": (400, "invalid_input"), "value": (422, "invalid_input"), "key": (401, "unauthorized"),
    "forbidden": (403, "not_enabled"), "retired": (410, "model_not_found"),
    "no model": (404, "model_not_found"), "credits": (402, "insufficient_credits"),
    "unheard of": (500, "moon_in_scorpio"),
}  # fmt: skip
_RUNWARE = {
    "malformed": "invalidRequest", "value": "invalidLightType", "no model": "invalidModel",
    "unheard of": "moonInScorpio",
}  # fmt: skip
"""Codes with which the emulator refuses a task, naming it."""
_ACCOUNT = {
    "key": (401, "invalidApiKey"), "forbidden": (403, "forbidden"), "credits": (402, "insufficientCredits"),
}  # fmt: skip


class TellingComfy(ComfyEmulator):
    """Tells what a call cost as it is asked to. `told` None: as it was."""

    told: str | None = None

    async def answer(self, request: web.BaseRequest, body: bytes) -> EmulatedAnswer:
        answer = await super().answer(request, body)
        if self.told is None or _CREDITS not in answer.headers:
            return answer
        headers = {name: value for name, value in answer.headers.items() if name != _CREDITS}
        if self.told:
            headers[_CREDITS] = self.told
        return EmulatedAnswer(answer.status, answer.body, headers)


@dataclass(frozen=True, slots=True)
class Spoiled:
    """Spoilt answers, attributes of the emulator, and whether nobody listens in the first run."""

    faults: tuple[Spoil, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    away: bool = False


def spoiled(act: Act, backend: str) -> Spoiled:
    """`act` as the emulator of `backend` takes it."""
    match act.kind:
        case "nothing":
            return Spoiled()
        case "refuse":
            return Spoiled(away=True)
        case "refusal":
            return _refusal(act, backend)
        case "skew":
            return Spoiled(attributes={"skew": act.value})
        case "failed":
            return Spoiled(attributes={"fails": {"code": "generationFailed", "message": act.value}})
        case "expired":
            gone = _said("runware", 404, "taskNotFound")
            phases = ("poll",) if act.recorded else ("poll", "details")
            return Spoiled(tuple(Spoil(p, "instead", _ALWAYS, **gone) for p in phases))
        case "cost" | "charge" if backend == "comfy":
            told = "" if act.value == "missing" else str(act.value)
            return Spoiled(attributes={"told": "16.88" if act.kind == "charge" else told})
    return Spoiled((_spoil(act, backend),))


def _spoil(act: Act, backend: str) -> Spoil:
    """One spoilt answer."""
    phase = {"result": "submit" if backend == "comfy" else "poll", "status": "poll"}.get(
        act.phase, act.phase
    )
    times = act.times or _ALWAYS
    if act.kind in _CHANGES:
        change = _CHANGES[act.kind](act.value)
        return Spoil(phase, "change", times, change=change)
    hows: dict[str, How] = {
        "reset": "lost" if act.taken else "unread", "close": "closed", "cut": "cut", "drip": "drip",
        "silent": "hang",
    }  # fmt: skip
    if act.kind in hows:
        return Spoil(phase, hows[act.kind], times, seconds=2.0 if phase == "submit" else 0.05)
    how: How = "behind" if act.taken else "instead"
    if act.kind == "status":
        said: dict[str, Any] = {"status": act.value, "body": PAGE if act.body == "html" else b""}
        if act.body == "json":
            said = _own(backend, act.value)
        return Spoil(phase, how, times, **said)
    if act.kind == "limited":
        return Spoil(phase, "instead", times, **_limited(backend, act.value))
    return Spoil(phase, how, times, **_bodies(act.kind, phase == "download"))


def _bodies(kind: str, image: bool) -> dict[str, Any]:
    """The answer in place of the true one."""
    typed = {"Content-Type": "image/jpeg" if image else "application/json"}
    match kind:
        case "empty":
            return {"status": 200, "body": b"", "headers": typed}
        case "html":
            return {"status": 200, "body": PAGE}
        case "garbage":
            return {"status": 200, "body": _NOISE, "headers": typed}
        case "oversize":
            return {"status": 200, "body": b" " * ((70 if image else 2) << 20), "headers": typed}
        case "bomb":
            packed = gzip.compress(bytes(73_400_320))
            return {"status": 200, "body": packed, "headers": typed | {"Content-Encoding": "gzip"}}
        case "short":
            return {"status": 200, "body": tiny()[: len(tiny()) // 2], "headers": typed}
        case "type":
            return {"status": 200, "body": tiny(), "headers": {"Content-Type": "text/plain"}}
        case "redirect":
            return {"status": 307, "body": b"", "headers": {"Location": "http://localhost:1/"}}
    raise KeyError(kind)


def _refusal(act: Act, backend: str) -> Spoiled:
    if backend == "comfy":
        said = _said("comfy", *_COMFY[act.value])
        return Spoiled((Spoil("submit", "instead", _ALWAYS, **said),))
    if act.value in _RUNWARE:
        return Spoiled(attributes={"refuses": _RUNWARE[act.value]})
    said = _said("runware", *_ACCOUNT[act.value])
    return Spoiled((Spoil("submit", "instead", _ALWAYS, **said),))


def _own(backend: str, status: int) -> dict[str, Any]:
    """The provider's own JSON with this status."""
    kinds = {404: "taskNotFound", 504: "timeoutProvider"}
    if backend == "comfy":
        return _said(backend, status, "provider_timeout" if status == 504 else "internal_error")
    return _said(backend, status, kinds.get(status, "internalError"))


def _said(backend: str, status: int, kind: str) -> dict[str, Any]:
    """A refusal of that kind in the provider's form."""
    if backend == "comfy":
        rows = [{"loc": ["body", "light_type"], "msg": "light_type is not allowed", "type": "x"}]
        body = json.dumps({"detail": rows if status == 422 else "no"}).encode()
        return {"status": status, "body": body, "headers": {"X-Comfy-Error-Type": kind}}
    body = json.dumps({"errors": [{"code": kind, "message": "no"}]}).encode()
    return {"status": status, "body": body, "headers": {"Content-Type": "application/json"}}


def _limited(backend: str, reset: str) -> dict[str, Any]:
    said = _said(backend, 429, "rate_limited" if backend == "comfy" else "rateLimitExceeded")
    after = {"Retry-After": _RESETS[reset]} if reset in _RESETS else {}
    return said | {"headers": {**said["headers"], **after}}


def _row(**facts: Any) -> Callable[[Any], Any]:
    """The first row of Runware's answer with these facts; those that are `missing` are taken out."""

    def change(answer: Any) -> Any:
        row = {**answer["data"][0], **facts}
        kept = {name: value for name, value in row.items() if value != "missing"}
        return {**answer, "data": [kept]}

    return change


def _elsewhere(url: str) -> Callable[[Any], Any]:
    def change(answer: Any) -> Any:
        if "result" in answer:
            return {**answer, "result": {**answer["result"], "image_url": url}}
        return _row(imageURL=url)(answer)

    return change


def _word(_: Any) -> Callable[[Any], Any]:
    def change(answer: Any) -> Any:
        return {"data": [{"taskUUID": answer["data"][0]["taskUUID"], "status": "WARMING_UP"}]}

    return change


_CHANGES: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
    "id": lambda value: _row(taskUUID=value),
    "cost": lambda value: _row(cost=float("nan") if value == "NaN" else value),
    "charge": lambda value: _row(cost=0.04 * value),
    "word": _word,
    "elsewhere": _elsewhere,
}
