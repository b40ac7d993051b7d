"""Predictions: create, get, list, cancel. A prediction's whole course is decided when it is taken.

After `--record-life` (an hour) its inputs, outputs and files are gone, and it says so; the row itself stays.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from relightflow.backends.emulator import answers, fetch
from relightflow.backends.emulator.answers import Refused
from relightflow.backends.emulator.assets import ResultFile
from relightflow.backends.emulator.clock import stamp
from relightflow.backends.emulator.provider import EmulatedCall
from relightflow.backends.emulator.record import Record

IC_LIGHT, QWEN = "zsxkib/ic-light", "qwen-edit-apps/qwen-image-edit-plus-lora-relight"
VERSIONS: Mapping[str, str] = {
    "d41bcb10d8c159868f4cfbd7c6a2ca01484f7d39e4613419d5952c61562f1ba7": IC_LIGHT
}
"""Version → the model that must be called by it."""
_IMAGE = {IC_LIGHT: "subject_image", QWEN: "image"}
_ALLOWED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    IC_LIGHT: {
        "light_source": ("None", "Left Light", "Right Light", "Top Light", "Bottom Light"),
        "output_format": ("webp", "jpg", "png"),
    },
    QWEN: {"output_format": ("webp", "jpg", "png")},
}
PREDICT_SECONDS = 10.0
"""What every prediction says that it ran, however soon its result is there."""
_SECOND = 975
"""Micro-dollars."""
_PAGE = 100
_LONGEST_WAIT = 60.0
_ID = "0123456789abcdefghjkmnpqrstvwxyz"


def error(status: int, title: str, detail: str, **more: Any) -> web.Response:
    return answers.as_json({"title": title, "detail": detail, "status": status, **more}, status)


def check_key(call: EmulatedCall) -> None:
    """Raise Refused without a key of the form `Bearer r8_…`."""
    kind, _, key = call.request.headers.get("Authorization", "").partition(" ")
    keys = call.provider.config.keys
    if kind != "Bearer" or not key or (keys and key not in keys):
        words = "You did not pass a valid authentication token"
        raise Refused(error(401, "Unauthenticated", words))


async def create(call: EmulatedCall) -> web.Response:
    """`POST /v1/predictions` and `/v1/models/{owner}/{name}/predictions`."""
    check_key(call)
    config, account = call.provider.config, call.provider.account
    try:
        body = json.loads(await call.request.read())
        inputs = dict(body["input"])
        version = str(body.get("version") or "")
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Refused(error(400, "Invalid request", "input: field required")) from None
    model = call.name or VERSIONS.get(version, "")
    if not model or model in config.retired or (call.name and call.name != QWEN):
        raise Refused(_no_model(bool(call.name)))
    if model in config.forbidden or account.credits <= 0:
        words = "You have insufficient credit to run this model."
        raise Refused(error(402, "Insufficient credit", words))
    if problem := _problem(model, inputs):
        raise Refused(problem)
    record = account.accept(_record(call, model, inputs))
    if call.request.headers.get("Prefer", "").startswith("wait"):
        left = record.done - call.provider.clock.now()
        await asyncio.sleep(min(max(0.0, left), _LONGEST_WAIT))
    return answers.as_json(await row(call, record), 201)


def _no_model(by_name: bool) -> web.Response:
    if by_name:
        return error(404, "Not found", "The requested resource could not be found.")
    words = "The specified version does not exist (or perhaps you don't have permission to use it?)"
    return error(422, "Invalid version or not permitted", words)


async def get(call: EmulatedCall) -> web.Response:
    """`GET /v1/predictions/{id}`."""
    return answers.as_json(await row(call, known(call)))


async def cancel(call: EmulatedCall) -> web.Response:
    """`POST /v1/predictions/{id}/cancel`: nothing waits long enough here to be canceled."""
    return answers.as_json(await row(call, known(call)))


async def listing(call: EmulatedCall) -> web.Response:
    """`GET /v1/predictions`: every prediction, newest first, by cursor."""
    check_key(call)
    cursor = call.request.query.get("cursor", "0")
    if not cursor.isdecimal():
        raise Refused(error(400, "Invalid cursor", "The cursor cannot be read"))
    first, until = int(cursor), _moment(call.request.query.get("created_before"))
    shown = call.provider.clock.shown
    found = [
        r
        for r in reversed(call.provider.recorded(lambda taken: taken.created))
        if until is None or shown(r.created) < until
    ]
    rows = [await row(call, record) for record in found[first : first + _PAGE]]
    more = first + len(rows) < len(found)
    query = dict(call.request.query) | {"cursor": str(first + len(rows))}
    following = call.url(f"/v1/predictions?{urlencode(query)}") if more else None
    return answers.as_json({"previous": None, "next": following, "results": rows})


async def version(call: EmulatedCall) -> web.Response:
    """`GET /v1/models/{owner}/{name}/versions/{id}`: what a client wants to know of a model's output."""
    check_key(call)
    if VERSIONS.get(call.name) != call.facts["model"]:
        raise Refused(_no_model(by_name=True))
    output = {"type": "array", "items": {"type": "string", "format": "uri"}}
    return answers.as_json(
        {
            "id": call.name,
            "created_at": "2024-05-14T12:00:00.000Z",
            "cog_version": "0.9.6",
            "openapi_schema": {"components": {"schemas": {"Output": output}}},
        }
    )


async def account(call: EmulatedCall) -> web.Response:
    """`GET /v1/account`."""
    check_key(call)
    return answers.as_json({"type": "user", "username": "emulated", "name": "Emulated"})


def known(call: EmulatedCall) -> Record:
    """The prediction that the path names. Raises Refused."""
    check_key(call)
    record = call.provider.account.find(call.name)
    if record is None:
        raise Refused(error(404, "Not found", "The requested resource could not be found."))
    return record


async def row(call: EmulatedCall, record: Record) -> dict[str, Any]:
    """A prediction as it is now."""
    clock, now = call.provider.clock, call.provider.clock.now()
    state = record.status(now)
    gone = now >= record.expires
    ended, started = state in ("COMPLETED", "FAILED"), now >= record.starts
    place = call.url(f"/v1/predictions/{record.request_id}")
    outputs = [call.url(f"/outputs/{name}") for name in record.outputs]
    done = bool(outputs) and state == "COMPLETED" and not gone
    ran = record.cost / _SECOND
    return {
        "id": record.request_id,
        "model": record.model,
        "version": next((v for v, name in VERSIONS.items() if name == record.model), "hidden"),
        "input": {} if gone else record.body,
        "output": outputs if done else None,
        "logs": None if gone else "",
        "error": record.error or None,
        "status": {
            "QUEUED": "starting", "PROCESSING": "processing", "FAILED": _failed(record),
        }.get(state, "succeeded"),
        "data_removed": gone,
        "source": "api",
        "created_at": stamp(clock.shown(record.created)),
        "started_at": stamp(clock.shown(record.starts)) if started and record.billed else None,
        "completed_at": stamp(clock.shown(record.done)) if ended else None,
        "metrics": {"predict_time": ran, "total_time": round(record.done - record.created, 3)}
        if ended
        else {},
        "urls": {"get": place, "cancel": f"{place}/cancel"},
    }  # fmt: skip


def _failed(record: Record) -> str:
    """The word for a prediction without a result: `aborted` and `canceled` where its error says so."""
    return record.error if record.error in ("aborted", "canceled") else "failed"


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise Refused(error(400, "Invalid request", "created_before: not a time")) from None


def _problem(model: str, inputs: Mapping[str, Any]) -> web.Response | None:
    field, why = "", ""
    for name in (_IMAGE[model], "prompt"):
        if not isinstance(inputs.get(name), str) or not inputs[name]:
            field, why = name, f"{name} is required"
    for name, values in _ALLOWED[model].items():
        if name in inputs and inputs[name] not in values:
            field, why = name, f"{name} must be one of the following: {', '.join(values)}"
    if not field:
        return None
    rows = [{"type": "invalid", "field": f"input.{field}", "description": why}]
    return error(422, "Input validation failed", f"- input: {why}\n", invalid_fields=rows)


def _record(call: EmulatedCall, model: str, inputs: dict[str, Any]) -> Record:
    provider, now = call.provider, call.provider.clock.now()
    image = str(inputs[_IMAGE[model]])
    problem = call.facts.get("error", "")
    try:
        short = fetch.look(image, provider.assets, now)
    except fetch.Unreachable as why:
        short, problem = image, problem or str(why)
    price = provider.config.prices.get(model, round(_SECOND * PREDICT_SECONDS))
    request_id = "".join(secrets.choice(_ID) for _ in range(26))
    seconds = call.facts.get("seconds", provider.latency(12.0))
    expires = now + call.facts.get("life", provider.config.record_life)
    life = min(expires, now + provider.config.output_life)
    outputs = () if problem else (ResultFile(request_id, 0, life),)
    inputs[_IMAGE[model]] = provider.account.share(image)
    kind = inputs.get("output_format", "webp")
    return Record(
        request_id=request_id,
        api="replicate",
        model=model,
        body=inputs,
        image=short.replace("/v1/files/", "/assets/"),  # as the bill has it, anybody may look
        cost=0 if problem == "aborted" else round(price * call.facts.get("cost_times", 1)),
        created=now,
        starts=now + seconds * 0.1,
        done=now + seconds,
        expires=expires,
        outputs=tuple(provider.assets.promise(one) for one in outputs),
        media_type=f"image/{'jpeg' if kind == 'jpg' else kind}",
        seed=inputs["seed"]
        if isinstance(inputs.get("seed"), int)
        else provider.rng.getrandbits(31),
        remaining=0,
        error=problem,
        hidden=bool(call.facts.get("hidden")),
    )
