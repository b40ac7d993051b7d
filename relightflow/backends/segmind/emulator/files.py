"""Uploads, and the public places where uploads and results are served; and the free credits call."""

from __future__ import annotations

import json
import re

from aiohttp import web

from relightflow.backends.segmind.emulator import admission, answers, images
from relightflow.backends.segmind.emulator.admission import Refused
from relightflow.backends.segmind.emulator.assets import from_data_uri
from relightflow.backends.segmind.emulator.provider import EmulatedCall
from relightflow.model.money import usd


async def upload(call: EmulatedCall) -> web.Response:
    """`POST /upload-asset` with `{"data_urls": […]}`: one URL an image, for ever."""
    admission.check_key(call)
    try:
        body = json.loads(await call.request.read())
        uris = body.get("data_urls") or body.get("urls")
        decoded = [from_data_uri(uri) for uri in uris]
    except (ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise Refused(answers.error(400, f"Invalid upload: {problem}")) from None
    provider = call.provider
    life = provider.config.asset_life
    expires = None if life is None else provider.clock.now() + life
    urls = [
        call.url(f"/assets/{provider.assets.upload(data, kind, expires)}") for data, kind in decoded
    ]
    return answers.as_json(
        {provider.config.upload_key: urls, "message": "Files uploaded successfully"}
    )


async def asset(call: EmulatedCall) -> web.Response:
    """`GET /assets/{name}`: an uploaded image; public."""
    found = call.provider.assets.uploaded(call.name, call.provider.clock.now())
    if found is None:
        raise Refused(answers.html(404, "404 Not Found"))
    return _serve(call.request, found.data, found.media_type)


async def output(call: EmulatedCall) -> web.Response:
    """`GET /outputs/{name}`: a result; public, for as long as it lives and once it is done."""
    provider, now = call.provider, call.provider.clock.now()
    found = provider.assets.output(call.name, now)
    record = provider.account.find(found.request_id) if found else None
    if found is None or record is None or now < record.done:
        raise Refused(answers.html(404, "404 Not Found"))
    data = await provider.image(record, found.index)
    return _serve(call.request, data, images.media_type(data))


async def credits_(call: EmulatedCall) -> web.Response:
    """`GET /v1/get-user-credits`: free of charge."""
    admission.check_key(call)
    account, config = call.provider.account, call.provider.config
    return answers.as_json(
        {"credits": usd(account.credits), "free-credits": usd(config.free_credits)}
    )


def _serve(request: web.BaseRequest, data: bytes, media_type: str) -> web.Response:
    headers = {"Content-Type": media_type, "Accept-Ranges": "bytes"}
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
    if wanted and int(wanted[1]) < len(data):
        first = int(wanted[1])
        last = min(int(wanted[2] or len(data) - 1), len(data) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        return web.Response(body=data[first : last + 1], status=206, headers=headers)
    return web.Response(body=data, headers=headers)
