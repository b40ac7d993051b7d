"""The queue: submit, status, result, cancel. A request's whole course is decided when it is taken.

A request that fails answers with the model's status: 500 (unbilled) or, as `--bad-value-status 422`
would, for what a model refuses: a 422 that is billed or not, as fal does not say.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from relightflow.backends.emulator import answers, fetch, images
from relightflow.backends.emulator.answers import Refused
from relightflow.backends.emulator.assets import ResultFile
from relightflow.backends.emulator.provider import EmulatedCall
from relightflow.backends.emulator.record import Record
from relightflow.images import BadImage, probe
from relightflow.model.money import Micros

PRICES: Mapping[str, Micros] = {
    "bria/fibo-edit/relight": 40_000,
    "fal-ai/image-apps-v2/relighting": 40_000,
    "fal-ai/iclight-v2": 100_000,
}
"""Micro-dollars of a unit: a call, or a megapixel of the last."""
_ALLOWED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "bria/fibo-edit/relight": {"light_direction": ("front", "side", "bottom", "top-down")},
    "fal-ai/iclight-v2": {"initial_latent": ("None", "Left", "Right", "Top", "Bottom")},
}
_REFUSED = "refused: "
"""How the error of a request begins that the model refused with a 422."""


def error(status: int, detail: Any, headers: dict[str, str] | None = None) -> web.Response:
    return answers.as_json({"detail": detail}, status, headers)


def check_key(call: EmulatedCall) -> None:
    """Raise Refused without a key of the form `Key id:secret`."""
    kind, _, key = call.request.headers.get("Authorization", "").partition(" ")
    keys = call.provider.config.keys
    if kind != "Key" or not key or (keys and key not in keys):
        raise Refused(error(401, "Authentication is required to access this application."))


async def submit(call: EmulatedCall) -> web.Response:
    """`POST /{model}`: taken, at once, whatever is in it; the model itself looks at it later."""
    check_key(call)
    config, account = call.provider.config, call.provider.account
    raw = await call.request.read()
    if call.name not in PRICES or call.name in config.retired:
        raise Refused(error(404, f"Application '{call.name[:80]}' not found"))
    if call.name in config.forbidden or account.credits <= 0:
        raise Refused(error(403, "User is locked. Reason: Exhausted balance."))
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(error(400, "Invalid JSON")) from None
    if not isinstance(body, dict):
        raise Refused(error(400, "Invalid JSON: not an object"))
    record = account.accept(_record(call, body))
    place = call.url(f"/{_app(call.name)}/requests/{record.request_id}")
    return answers.as_json(
        {
            "status": "IN_QUEUE",
            "request_id": record.request_id,
            "gateway_request_id": record.request_id,
            "response_url": place,
            "status_url": f"{place}/status",
            "cancel_url": f"{place}/cancel",
            "queue_position": 0,
        },
        headers={"x-fal-request-id": record.request_id},
    )


async def status(call: EmulatedCall) -> web.Response:
    """`GET …/requests/{id}/status`: how far it is."""
    record = known(call)
    word = {"QUEUED": "IN_QUEUE", "PROCESSING": "IN_PROGRESS"}.get(
        _state(call, record), "COMPLETED"
    )
    place = call.url(f"/{_app(record.model)}/requests/{record.request_id}")
    body: dict[str, Any] = {
        "status": word, "request_id": record.request_id, "response_url": place,
        "status_url": f"{place}/status", "cancel_url": f"{place}/cancel", "logs": None,
    }  # fmt: skip
    if word == "IN_QUEUE":
        body["queue_position"] = 0
    if word == "COMPLETED":
        body["metrics"] = {"inference_time": round(record.done - record.starts, 3)}
        if record.error:
            body |= {"error": _why(record), "error_type": "internal_error"}
    return answers.as_json(body, 202 if word != "COMPLETED" else 200)


async def result(call: EmulatedCall) -> web.Response:
    """`GET …/requests/{id}`: the model's own answer, once there is one."""
    record = known(call)
    state = _state(call, record)
    if state in ("QUEUED", "PROCESSING"):
        return answers.as_json({"detail": "Request is still in progress"}, 202)
    head = {"x-fal-request-id": record.request_id}
    if record.error:
        refused = record.error.startswith(_REFUSED)
        rows = [{"loc": ["body", "image_url"], "msg": _why(record), "type": "value_error"}]
        head["x-fal-error-type"] = "value_error" if refused else "internal_error"
        return error(422 if refused else 500, rows if refused else _why(record), head)
    head["x-fal-billable-units"] = str(record.cost / PRICES[record.model])
    return answers.as_json(await output(call, record), headers=head)


async def output(call: EmulatedCall, record: Record) -> dict[str, Any]:
    """What a model answers: `image` of the first, `images` of the others."""
    data = await call.provider.image(record, 0)
    shape = probe(data)
    one = {
        "url": call.url(f"/outputs/{record.outputs[0]}"),
        "content_type": images.media_type(data),
        "file_name": record.outputs[0],
        "file_size": len(data),
        "width": shape.width,
        "height": shape.height,
    }
    return (
        {"image": one}
        if record.model.startswith("bria/")
        else {"images": [one], "seed": record.seed}
    )


async def cancel(call: EmulatedCall) -> web.Response:
    """`PUT …/requests/{id}/cancel`: nothing waits long enough here to be cancelled."""
    known(call)
    return answers.as_json({"status": "ALREADY_COMPLETED"}, 400)


def known(call: EmulatedCall) -> Record:
    """The request the path names. Raises Refused: no key, 404 after its life or under another model."""
    check_key(call)
    record = call.provider.account.find(call.name)
    now = call.provider.clock.now()
    if record is None or now >= record.expires or _app(record.model) != call.facts["app"]:
        raise Refused(error(404, "Request not found"))
    return record


def refusal(record: Record) -> int:
    """The model's status of a request that failed; 200 where it did not."""
    return 200 if not record.error else 422 if record.error.startswith(_REFUSED) else 500


def _why(record: Record) -> str:
    return record.error.removeprefix(_REFUSED)


def _state(call: EmulatedCall, record: Record) -> str:
    return record.status(call.provider.clock.now())


def _app(model: str) -> str:
    return "/".join(model.split("/")[:2])


def _record(call: EmulatedCall, body: dict[str, Any]) -> Record:
    provider, now = call.provider, call.provider.clock.now()
    image = body.get("image_url", "")
    short, size, problem = _looked_at(call, image)
    problem = call.facts.get("error", "") or problem
    for name, values in _ALLOWED.get(call.name, {}).items():
        if body.get(name) is not None and body[name] not in values:
            problem = problem or f"{_REFUSED}unexpected value for {name}"
    units = size if call.name.endswith("iclight-v2") else 1
    price = provider.config.prices.get(call.name, PRICES[call.name])
    request_id = str(uuid.uuid4())
    seconds = call.facts.get("seconds", provider.latency(5.0))
    outputs = () if problem else (ResultFile(request_id, 0, now + provider.config.output_life),)
    body["image_url"] = provider.account.share(str(image))
    return Record(
        request_id=request_id,
        api="fal",
        model=call.name,
        body=body,
        image=short,
        cost=0 if problem else round(price * units * call.facts.get("cost_times", 1)),
        created=now,
        starts=now + seconds * 0.1,
        done=now + seconds,
        expires=now + call.facts.get("life", provider.config.record_life),
        outputs=tuple(provider.assets.promise(one) for one in outputs),
        media_type="image/jpeg" if call.name.endswith("iclight-v2") else "",
        seed=body["seed"] if isinstance(body.get("seed"), int) else provider.rng.getrandbits(31),
        remaining=0,
        error=problem,
        hidden=bool(call.facts.get("hidden")),
    )


def _looked_at(call: EmulatedCall, image: Any) -> tuple[str, int, str]:
    """(the image as a bill shows it, its begun megapixels, why the model refuses it)."""
    try:
        short = fetch.look(str(image), call.provider.assets, call.provider.clock.now())
        return short, _megapixels(call, str(image)), ""
    except fetch.Unreachable as why:
        return str(image), 1, f"{_REFUSED}{why}"


def _megapixels(call: EmulatedCall, image: str) -> int:
    """Begun megapixels of an image that is at hand; 1 for one that is not."""
    if not image.startswith("data:") and "/assets/" not in image:
        return 1
    try:
        data = fetch.read(image, call.provider.assets, call.provider.clock.now())
        shape = probe(data or b"")
    except BadImage as bad:
        raise fetch.Unreachable(bad.reason) from None
    return max(1, -(-shape.width * shape.height // 1_000_000))
