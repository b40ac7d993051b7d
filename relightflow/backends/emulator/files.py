"""The public places where uploads and results are served."""

from __future__ import annotations

import re

from aiohttp import web

from relightflow.backends.emulator import answers, images
from relightflow.backends.emulator.answers import Refused
from relightflow.backends.emulator.provider import EmulatedCall


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


def _serve(request: web.BaseRequest, data: bytes, media_type: str) -> web.Response:
    headers = {"Content-Type": media_type, "Accept-Ranges": "bytes"}
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
    if wanted and int(wanted[1]) < len(data):
        first = int(wanted[1])
        last = min(int(wanted[2] or len(data) - 1), len(data) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        return web.Response(body=data[first : last + 1], status=206, headers=headers)
    return web.Response(body=data, headers=headers)
