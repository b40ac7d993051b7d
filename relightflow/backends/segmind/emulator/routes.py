"""Which path is which phase of the protocol. All three of the provider's hosts share one port."""

from __future__ import annotations

from aiohttp import web

from relightflow.backends.segmind.emulator import answers, files, history, v1, v2
from relightflow.backends.segmind.emulator.account import bill
from relightflow.backends.segmind.emulator.admission import Refused
from relightflow.backends.segmind.emulator.provider import EmulatedCall, Provider

_READ = ("GET", "HEAD")


def route(provider: Provider, request: web.BaseRequest) -> EmulatedCall:
    """The call that `request` makes. Raises Refused: 404 (JSON), 405 (an HTML page)."""
    methods: tuple[str, ...] = _READ
    match request.path.strip("/").split("/"):
        case ["v1", "get-user-credits"]:
            call = EmulatedCall(provider, request, "credits", files.credits_)
        case ["v1", slug]:
            methods, call = ("POST",), EmulatedCall(provider, request, "submit", v1.run, slug, "v1")
        case ["v2", "requests", name, "status"]:
            call = EmulatedCall(provider, request, "status", v2.status, name)
        case ["v2", "requests", name]:
            call = EmulatedCall(provider, request, "result", v2.result, name)
        case ["v2", slug]:
            methods, call = (
                ("POST",),
                EmulatedCall(provider, request, "submit", v2.submit, slug, "v2"),
            )
        case ["outputs", name]:
            call = EmulatedCall(provider, request, "download", files.output, name)
        case ["assets", name]:
            call = EmulatedCall(provider, request, "asset", files.asset, name)
        case ["upload-asset"]:
            methods, call = ("POST",), EmulatedCall(provider, request, "upload", files.upload)
        case ["inference-request", "request-history"]:
            call = EmulatedCall(provider, request, "history", history.page)
        case ["inference-request", "request-history", name]:
            call = EmulatedCall(provider, request, "history", history.one, name)
        case ["__bill"]:
            call = EmulatedCall(provider, request, "", _bill)
        case ["__requests"]:
            call = EmulatedCall(provider, request, "", _requests)
        case _:
            raise Refused(answers.error(404, "Not found"))
    if request.method not in methods:
        raise Refused(answers.html(405, "405 Method Not Allowed"))
    return call


async def _bill(call: EmulatedCall) -> web.Response:
    return answers.as_json(bill(call.provider.account))


async def _requests(call: EmulatedCall) -> web.Response:
    newest = call.request.query.get("calls", "")
    return answers.as_json(call.provider.wire.summary(int(newest) if newest.isdecimal() else None))
