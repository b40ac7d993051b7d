"""v1: one blocking call. The bill is made when the work is taken, not when the answer is read."""

from __future__ import annotations

import asyncio
import base64

from aiohttp import web

from relightflow.backends.emulator import images
from relightflow.backends.emulator.answers import as_json
from relightflow.backends.emulator.provider import EmulatedCall
from relightflow.backends.emulator.record import Record
from relightflow.backends.segmind.emulator import admission, answers
from relightflow.model.money import usd


async def run(call: EmulatedCall) -> web.Response:
    """`POST /v1/{slug}`: the image, as bytes or in one of the JSON shapes."""
    provider = call.provider
    record = await admission.admit(call)
    seconds = record.done - provider.clock.now()
    if seconds > 0:
        await asyncio.sleep(seconds)
    if record.error:
        status = 400 if record.error.startswith("Unable to fetch") else 500
        return answers.error(status, record.error, {"x-request-id": record.request_id})
    headers = {
        "x-request-id": record.request_id,
        "x-cost": f"{usd(record.cost):g}",
        "x-remaining-credits": f"{usd(record.remaining):.6f}",
        "x-generation-time": f"{record.done - record.created:.3f}",
        "x-seed-value": str(record.seed),
    }
    if provider.config.v1_shape == "bytes":
        data = await provider.image(record, 0)
        headers["Content-Type"] = images.media_type(data)
        return web.Response(body=data, headers=headers)
    return as_json(await _shape(call, record), headers=headers)


async def _shape(call: EmulatedCall, record: Record) -> dict[str, object]:
    urls = [call.url(f"/outputs/{name}") for name in record.outputs]
    match call.provider.config.v1_shape:
        case "json-base64":
            data = await call.provider.image(record, 0)
            return {"image": base64.b64encode(data).decode()}
        case "json-url":
            return {"output": urls[0]}
        case "json-urls":
            return {"output": urls}
        case _:
            data = await call.provider.image(record, 0)
            kind = images.media_type(data)
            return {"images": [{"url": url, "content_type": kind} for url in urls]}
