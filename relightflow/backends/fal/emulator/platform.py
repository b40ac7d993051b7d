"""What is not the queue: storage for uploads, and the platform API's request history."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from aiohttp import web

from relightflow.backends.emulator import answers
from relightflow.backends.emulator.answers import Refused
from relightflow.backends.emulator.clock import stamp
from relightflow.backends.emulator.provider import EmulatedCall
from relightflow.backends.emulator.record import Record
from relightflow.backends.fal.emulator import queue

_TOKEN = "upload-token"  # noqa: S105  opens nothing
_PAGE = 100


async def token(call: EmulatedCall) -> web.Response:
    """`POST /storage/auth/token`: a token that opens the storage and nothing else."""
    queue.check_key(call)
    await call.request.read()
    expires = stamp(call.provider.clock.shown() + 3600)
    base = call.url("")
    return answers.as_json(
        {"token": _TOKEN, "token_type": "Bearer", "base_url": base, "expires_at": expires}
    )


async def upload(call: EmulatedCall) -> web.Response:
    """`POST /files/upload`: the bytes as they are; a public URL, for ever."""
    data = await call.request.read()
    if call.request.headers.get("Authorization") != f"Bearer {_TOKEN}":
        raise Refused(queue.error(401, "Invalid token"))
    name = call.provider.assets.upload(
        data, call.request.content_type, call.provider.expiry(call.provider.config.asset_life)
    )
    return answers.as_json({"access_url": call.url(f"/assets/{name}")})


async def start_upload(call: EmulatedCall) -> web.Response:
    """`POST /storage/upload/initiate`: where one file can be put by anybody, and where it is then."""
    queue.check_key(call)
    try:
        kind = json.loads(await call.request.read())["content_type"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Refused(queue.error(422, "content_type: field required")) from None
    name = call.provider.assets.expect(str(kind))
    place = call.url(f"/storage/put/{name}")
    return answers.as_json({"upload_url": place, "file_url": call.url(f"/assets/{name}")})


async def put(call: EmulatedCall) -> web.Response:
    """`PUT` at a URL of `start_upload`: no key, the media type that was told, as a signature would want."""
    data = await call.request.read()
    expires = call.provider.expiry(call.provider.config.asset_life)
    if not call.provider.assets.put(call.name, data, call.request.content_type, expires):
        raise Refused(queue.error(403, "The signature does not match"))
    return web.Response()


async def history(call: EmulatedCall) -> web.Response:
    """`GET /v1/models/requests/by-endpoint`: requests that have ended, newest first, by cursor."""
    queue.check_key(call)
    query, now = call.request.query, call.provider.clock.now()
    wanted = {name for text in query.getall("endpoint_id", []) for name in text.split(",")}
    if not wanted:
        raise Refused(queue.error(422, "endpoint_id: field required"))
    size, first = _number(query.get("limit"), 50), _number(query.get("cursor"), 0)
    since, until = _moment(query.get("start")), _moment(query.get("end"))
    one = query.get("request_id")
    if since is None:
        since = now - (90 if one else 1) * 86_400
    shown = call.provider.clock.shown
    found = [
        record
        for record in reversed(call.provider.recorded(lambda taken: taken.done))
        if record.model in wanted
        and since <= shown(record.created) <= (until or shown(now))
        and (one is None or record.request_id == one)
    ]
    rows = [await _row(call, record) for record in found[first : first + min(size, _PAGE)]]
    more = first + len(rows) < len(found)
    following = str(first + len(rows)) if more else None
    return answers.as_json({"items": rows, "next_cursor": following, "has_more": more})


async def _row(call: EmulatedCall, record: Record) -> dict[str, Any]:
    clock, code = call.provider.clock, queue.refusal(record)
    output = (
        await queue.output(call, record)
        if code == 200
        else {"detail": [{"loc": ["body"], "msg": record.error, "type": "value_error"}]}
    )
    return {
        "request_id": record.request_id,
        "endpoint_id": record.model,
        "sent_at": stamp(clock.shown(record.created)),
        "started_at": stamp(clock.shown(record.starts)),
        "ended_at": stamp(clock.shown(record.done)),
        "status_code": code,
        "duration": round(record.done - record.starts, 3),
        "json_input": record.body,
        "json_output": output,
    }


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdecimal():
        raise Refused(queue.error(422, f"{text[:40]!r} is not a number"))
    return int(text)


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise Refused(queue.error(422, f"{text[:40]!r} is not a time")) from None
