"""One request from its first byte to its answer: which call it is, which fault it meets, who saw it."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from relightflow.backends.emulator.answers import Refused
from relightflow.backends.emulator.clock import http_date
from relightflow.backends.emulator.faults.kinds import Dropped
from relightflow.backends.emulator.faults.plan import Chooser
from relightflow.backends.emulator.protocols import PROTOCOLS
from relightflow.backends.emulator.provider import EmulatedCall, Provider
from relightflow.backends.emulator.wire import Seen


async def handle(
    provider: Provider,
    chooser: Chooser | None,
    busy: set[web.RequestHandler],
    request: web.BaseRequest,
) -> web.StreamResponse:
    """Answer one request; its connection is among the `busy` ones while that takes."""
    busy.add(request.protocol)
    try:
        response = await _answer(provider, chooser, request)
        if provider.clock.skew and not response.prepared:
            response.headers.setdefault("Date", http_date(provider.clock.shown()))
        return response
    finally:
        busy.discard(request.protocol)


async def _answer(
    provider: Provider, chooser: Chooser | None, request: web.BaseRequest
) -> web.StreamResponse:
    """Whatever the request may be, an answer in the provider's words."""
    try:
        call: EmulatedCall = PROTOCOLS[provider.config.protocol].load()(provider, request)
    except Refused as refusal:
        _note(provider, request, "unknown")
        return refusal.answer
    if not call.phase:
        return await call.proceed()
    try:
        if chooser is not None and chooser.reads_body and call.phase == "submit":
            call.fields = await _fields(request)
        rule = chooser.choose(call) if chooser else None
        _note(provider, request, call.phase, rule.kind.name if rule else "")
        response = await (rule.kind.act(call, **rule.options) if rule else call.proceed())
    except Refused as refusal:
        response = refusal.answer
    except (Dropped, ConnectionError, web.RequestPayloadError):
        # dropped by a fault, or by a caller that died: there is nobody to answer
        provider.wire.answered(call.phase, 0)
        return web.Response()
    provider.wire.answered(call.phase, response.status)
    return response


async def _fields(request: web.BaseRequest) -> dict[str, Any]:
    """A body's fields, those of its `input` too; none where it is no JSON object. It can be read again."""
    try:
        found = json.loads(await request.read())
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    inputs = found.get("input")
    return {**found, **inputs} if isinstance(inputs, dict) else found


def _note(provider: Provider, request: web.BaseRequest, phase: str, fault: str = "") -> None:
    headers = request.headers
    provider.wire.note(
        Seen(
            provider.clock.now(),
            request.method,
            request.path,
            headers.get("Host", ""),
            phase,
            "x-api-key" in headers or "Authorization" in headers,
            fault,
        )
    )
