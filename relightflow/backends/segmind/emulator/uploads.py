"""Segmind's uploads, and the free credits call."""

from __future__ import annotations

import json

from aiohttp import web

from relightflow.backends.emulator.answers import Refused, as_json
from relightflow.backends.emulator.assets import from_data_uri
from relightflow.backends.emulator.provider import EmulatedCall
from relightflow.backends.segmind.emulator import admission, answers
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
    return as_json({provider.config.upload_key: urls, "message": "Files uploaded successfully"})


async def credits_(call: EmulatedCall) -> web.Response:
    """`GET /v1/get-user-credits`: free of charge."""
    admission.check_key(call)
    account, config = call.provider.account, call.provider.config
    return as_json({"credits": usd(account.credits), "free-credits": usd(config.free_credits)})
