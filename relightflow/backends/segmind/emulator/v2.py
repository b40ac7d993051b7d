"""v2: submit, then poll, then fetch. A request's whole course is decided when it is taken."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from relightflow.backends.emulator import images
from relightflow.backends.emulator.answers import Refused, as_json
from relightflow.backends.emulator.provider import EmulatedCall
from relightflow.backends.emulator.record import Record
from relightflow.backends.segmind.emulator import admission, answers
from relightflow.model.money import usd


async def submit(call: EmulatedCall) -> web.Response:
    """`POST /v2/{slug}`: taken, at once."""
    record = await admission.admit(call)
    place = call.url(f"/v2/requests/{record.request_id}")
    return as_json(
        {
            "request_id": record.request_id,
            "status": "QUEUED",
            "poll_url": f"{place}/status",
            "status_url": f"{place}/status",
            "response_url": place,
        }
    )


async def status(call: EmulatedCall) -> web.Response:
    """`GET /v2/requests/{id}/status`: how far it is; no payload."""
    record = _known(call)
    state = record.status(call.provider.clock.now())
    body: dict[str, Any] = {"status": state, "request_id": record.request_id}
    body["metrics"] = _metrics(record) if state in ("COMPLETED", "FAILED") else {}
    if state == "FAILED":
        body["error"] = record.error
    return as_json(body, 422 if state == "FAILED" else 200)


async def result(call: EmulatedCall) -> web.Response:
    """`GET /v2/requests/{id}`: the result, once there is one; until then the status."""
    record = _known(call)
    if record.status(call.provider.clock.now()) != "COMPLETED":
        return await status(call)
    entries = []
    for index, name in enumerate(record.outputs):
        data = await call.provider.image(record, index)
        entries.append(
            {
                "url": call.url(f"/outputs/{name}"),
                "content_type": images.media_type(data),
                "file_name": name,
                "file_size": len(data),
            }
        )
    return as_json(
        {
            "status": "COMPLETED",
            "request_id": record.request_id,
            "output": entries[0]["url"],
            "images": entries,
            "seed": record.seed,
            "metrics": _metrics(record),
        }
    )


def _known(call: EmulatedCall) -> Record:
    """The request the path names. Raises Refused: no key, rate, 404 after its life."""
    admission.check_key(call)
    if call.provider.config.rate_counts_polls:
        admission.check_rate(call)
    record = call.provider.account.find(call.name)
    now = call.provider.clock.now()
    if record is None or record.api != "v2" or now >= record.expires:
        raise Refused(answers.error(404, "Request not found or expired"))
    return record


def _metrics(record: Record) -> dict[str, Any]:
    return {
        "cost": usd(record.cost),
        "remaining_credits": usd(record.remaining),
        "inference_time": round(record.done - record.starts, 3),
        "queue_time": round(record.starts - record.created, 3),
        "total_time": round(record.done - record.created, 3),
        "retry_count": 0,
    }
