"""File storage: uploads that only the account's key opens."""

from __future__ import annotations

import hashlib

from aiohttp import web

from relightflow.backends.emulator import answers
from relightflow.backends.emulator.answers import Refused
from relightflow.backends.emulator.clock import stamp
from relightflow.backends.emulator.provider import EmulatedCall
from relightflow.backends.replicate.emulator import predictions

_LIFE = 86_400.0


async def upload(call: EmulatedCall) -> web.Response:
    """`POST /v1/files`: a form with the file as `content`."""
    predictions.check_key(call)
    form = await web.Request.post(call.request)
    content = form.get("content")
    if not isinstance(content, web.FileField):
        raise Refused(predictions.error(400, "Invalid request", "content: file required"))
    provider = call.provider
    life = _LIFE if provider.config.asset_life is None else provider.config.asset_life
    data, expires = content.file.read(), provider.clock.now() + life
    name = provider.assets.upload(data, content.content_type, expires)
    return answers.as_json(
        {
            "id": name,
            "name": content.filename,
            "content_type": content.content_type,
            "size": len(data),
            "etag": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            "checksums": {"sha256": hashlib.sha256(data).hexdigest()},
            "metadata": {},
            "created_at": stamp(provider.clock.shown()),
            "expires_at": stamp(provider.clock.shown(expires)),
            "urls": {"get": call.url(f"/v1/files/{name}")},
        },
        201,
    )


async def get(call: EmulatedCall) -> web.Response:
    """`GET /v1/files/{name}`: what is known of an upload; its bytes are not served."""
    predictions.check_key(call)
    if call.provider.assets.uploaded(call.name, call.provider.clock.now()) is None:
        raise Refused(predictions.error(404, "Not found", "The file was not found."))
    return answers.as_json({"id": call.name})
