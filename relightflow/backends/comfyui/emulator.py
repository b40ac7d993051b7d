"""A ComfyUI server on the emulator: it queues graphs, and paints what the preview paints.

`relightflow emulator --protocol comfyui` serves it. Its bill lists what was made; nothing costs anything.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from aiohttp import web

from relightflow.backends.emulator import answers, files
from relightflow.backends.emulator.answers import Refused
from relightflow.backends.emulator.assets import ResultFile
from relightflow.backends.emulator.provider import EmulatedCall, Provider
from relightflow.backends.emulator.record import Record
from relightflow.backends.emulator.routes import READ, shared
from relightflow.model.values import canonical_json


def route(provider: Provider, request: web.BaseRequest) -> EmulatedCall:
    """The call that `request` makes. Raises Refused: 404, 405."""
    methods: tuple[str, ...] = READ
    match request.path.strip("/").split("/"):
        case _ if (served := shared(provider, request)) is not None:
            call = served
        case ["upload", "image"]:
            methods, call = ("POST",), EmulatedCall(provider, request, "upload", _upload)
        case ["prompt"]:
            methods, call = (
                ("POST",),
                EmulatedCall(provider, request, "submit", _prompt, api="comfyui"),
            )
        case ["queue"]:
            call = EmulatedCall(provider, request, "status", _queue)
        case ["history", name]:
            call = EmulatedCall(provider, request, "result", _history, name)
        case ["view"]:
            call = EmulatedCall(provider, request, "download", _view)
        case _:
            raise Refused(web.Response(status=404, text="404: Not Found"))
    if request.method not in methods:
        raise Refused(web.Response(status=405, text="405: Method Not Allowed"))
    return call


async def _upload(call: EmulatedCall) -> web.Response:
    """`POST /upload/image`: kept under its own name, in its folder."""
    form = await web.Request.post(call.request)
    image = form.get("image")
    if not isinstance(image, web.FileField):
        raise Refused(web.Response(status=400))
    folder, name = str(form.get("subfolder", "")), image.filename
    data = image.file.read()
    asset = call.provider.assets.upload(data, image.content_type, None)
    call.provider.places[f"{folder}/{name}".strip("/")] = call.url(f"/assets/{asset}")
    return answers.as_json({"name": name, "subfolder": folder, "type": "input"})


async def _prompt(call: EmulatedCall) -> web.Response:
    """`POST /prompt`: queued under the name that the caller gives; one that was given before runs again."""
    raw = await call.request.read()
    try:
        body = json.loads(raw)
        graph = body["prompt"]
        nodes = {name: node["inputs"] for name, node in graph.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused(_error("no_prompt", "No prompt provided")) from None
    if not any(node["class_type"] == "SaveImage" for node in graph.values()):
        raise Refused(_error("prompt_no_outputs", "Prompt has no outputs"))
    images = [n["image"] for n in nodes.values() if isinstance(n.get("image"), str)]
    image = next((call.provider.places[i] for i in images if i in call.provider.places), "")
    if images and not image:
        raise Refused(_error("invalid_prompt", f"Invalid image file: {images[0]}"))
    prompt_id = str(body.get("prompt_id") or uuid.uuid4())
    call.provider.account.accept(_record(call, prompt_id, graph, image))
    return answers.as_json({"prompt_id": prompt_id, "number": 1, "node_errors": {}})


def _record(call: EmulatedCall, prompt_id: str, graph: dict[str, Any], image: str) -> Record:
    provider, now = call.provider, call.provider.clock.now()
    seconds = call.facts.get("seconds", provider.latency(5.0))
    again = provider.account.find(prompt_id) is not None
    facts = {
        name: value
        for node in graph.values()
        for name, value in node["inputs"].items()
        if isinstance(value, str | int | float) and name != "image"
    }
    request_id = f"{prompt_id}-again-{uuid.uuid4()}" if again else prompt_id
    outputs = (ResultFile(request_id, 0, now + provider.config.output_life),)
    return Record(
        request_id=request_id, api="comfyui", model="comfyui",
        body={"image": image, "graph": canonical_json(graph), **facts},
        image=image, cost=0, created=now, starts=now + seconds * 0.1, done=now + seconds,
        expires=now + call.facts.get("life", provider.config.record_life),
        outputs=tuple(provider.assets.promise(one) for one in outputs),
        media_type="image/png", seed=0, remaining=0, error=call.facts.get("error", ""),
    )  # fmt: skip


async def _queue(call: EmulatedCall) -> web.Response:
    now = call.provider.clock.now()
    waiting = [r for r in call.provider.account if r.status(now) == "QUEUED" and now < r.expires]
    running = [
        r for r in call.provider.account if r.status(now) == "PROCESSING" and now < r.expires
    ]
    return answers.as_json({"queue_running": _rows(running), "queue_pending": _rows(waiting)})


def _rows(records: list[Record]) -> list[list[Any]]:
    return [[number, record.request_id, {}, {}, []] for number, record in enumerate(records)]


async def _history(call: EmulatedCall) -> web.Response:
    """`GET /history/{id}`: empty until it has ended, and once the server has forgotten it."""
    record, now = call.provider.account.find(call.name), call.provider.clock.now()
    if record is None or now >= record.expires or record.status(now) in ("QUEUED", "PROCESSING"):
        return answers.as_json({})
    graph = json.loads(record.body["graph"])
    if record.error:
        failed = ["execution_error", {"exception_message": record.error, "node_type": "KSampler"}]
        status = {"status_str": "error", "completed": False, "messages": [failed]}
        return answers.as_json({call.name: {"outputs": {}, "status": status}})
    image = {"filename": record.outputs[0], "subfolder": "relightflow", "type": "output"}
    saving = [name for name, node in graph.items() if node["class_type"] == "SaveImage"]
    outputs = {name: {"images": [image]} for name in saving}
    status = {"status_str": "success", "completed": True, "messages": []}
    return answers.as_json({call.name: {"outputs": outputs, "status": status}})


async def _view(call: EmulatedCall) -> web.Response:
    call.name = call.request.query.get("filename", "")
    return await files.output(call)


def _error(kind: str, message: str) -> web.Response:
    return answers.as_json({"error": {"type": kind, "message": message}, "node_errors": {}}, 400)
