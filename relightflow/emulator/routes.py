"""Which path is which phase of the protocol. All three of the provider's hosts share one port."""

from __future__ import annotations

from aiohttp import web

from relightflow.emulator import answers, files, history, v1, v2
from relightflow.emulator.account import bill
from relightflow.emulator.gate import Refused
from relightflow.emulator.provider import Call, Provider

PHASES = ("submit", "status", "result", "download", "upload", "asset", "credits", "history")
_READ = ("GET", "HEAD")


def route(provider: Provider, request: web.BaseRequest) -> Call:
    """The call that `request` makes. Raises Refused: 404 (JSON), 405 (an HTML page)."""
    methods: tuple[str, ...] = _READ
    match request.path.strip("/").split("/"):
        case ["v1", "get-user-credits"]:
            call = Call(provider, request, "credits", files.credits_)
        case ["v1", slug]:
            methods, call = ("POST",), Call(provider, request, "submit", v1.run, slug, "v1")
        case ["v2", "requests", name, "status"]:
            call = Call(provider, request, "status", v2.status, name)
        case ["v2", "requests", name]:
            call = Call(provider, request, "result", v2.result, name)
        case ["v2", slug]:
            methods, call = ("POST",), Call(provider, request, "submit", v2.submit, slug, "v2")
        case ["outputs", name]:
            call = Call(provider, request, "download", files.output, name)
        case ["assets", name]:
            call = Call(provider, request, "asset", files.asset, name)
        case ["upload-asset"]:
            methods, call = ("POST",), Call(provider, request, "upload", files.upload)
        case ["inference-request", "request-history"]:
            call = Call(provider, request, "history", history.page)
        case ["inference-request", "request-history", name]:
            call = Call(provider, request, "history", history.one, name)
        case ["__bill"]:
            call = Call(provider, request, "", _bill)
        case ["__requests"]:
            call = Call(provider, request, "", _requests)
        case _:
            raise Refused(answers.error(404, "Not found"))
    if request.method not in methods:
        raise Refused(answers.html(405, "405 Method Not Allowed"))
    return call


async def _bill(call: Call) -> web.Response:
    return answers.as_json(bill(call.provider.account))


async def _requests(call: Call) -> web.Response:
    newest = call.request.query.get("calls", "")
    return answers.as_json(call.provider.wire.summary(int(newest) if newest.isdecimal() else None))
