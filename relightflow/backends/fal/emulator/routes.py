"""Which path is which phase of fal's protocol. All of its hosts share one port."""

from __future__ import annotations

from aiohttp import web

from relightflow.backends.fal.emulator import platform, queue
from relightflow.backends.segmind.emulator import answers, files
from relightflow.backends.segmind.emulator.account import bill
from relightflow.backends.segmind.emulator.admission import Refused
from relightflow.backends.segmind.emulator.provider import EmulatedCall, Provider

_READ = ("GET", "HEAD")


def route(provider: Provider, request: web.BaseRequest) -> EmulatedCall:
    """The call that `request` makes. Raises Refused: 404, 405."""
    methods: tuple[str, ...] = _READ
    match request.path.strip("/").split("/"):
        case ["__bill"]:
            call = EmulatedCall(provider, request, "", _bill)
        case ["__requests"]:
            call = EmulatedCall(provider, request, "", _requests)
        case ["outputs", name]:
            call = EmulatedCall(provider, request, "download", files.output, name)
        case ["assets", name]:
            call = EmulatedCall(provider, request, "asset", files.asset, name)
        case ["storage", "auth", "token"]:
            methods, call = ("POST",), EmulatedCall(provider, request, "upload", platform.token)
        case ["files", "upload"]:
            methods, call = ("POST",), EmulatedCall(provider, request, "upload", platform.upload)
        case ["v1", "models", "requests", "by-endpoint"]:
            call = EmulatedCall(provider, request, "history", platform.history)
        case [owner, alias, "requests", name, "status"]:
            call = EmulatedCall(provider, request, "status", queue.status, name)
            call.facts["app"] = f"{owner}/{alias}"
        case [owner, alias, "requests", name, "cancel"]:
            methods, call = ("PUT",), EmulatedCall(provider, request, "status", queue.cancel, name)
            call.facts["app"] = f"{owner}/{alias}"
        case [owner, alias, "requests", name]:
            call = EmulatedCall(provider, request, "result", queue.result, name)
            call.facts["app"] = f"{owner}/{alias}"
        case [_, _, *_] as parts if request.method == "POST":
            name = "/".join(parts)
            methods, call = (
                ("POST",),
                EmulatedCall(provider, request, "submit", queue.submit, name, "fal"),
            )
        case _:
            raise Refused(queue.error(404, "Path not found"))
    if request.method not in methods:
        raise Refused(queue.error(405, "Method Not Allowed"))
    return call


async def _bill(call: EmulatedCall) -> web.Response:
    return answers.as_json(bill(call.provider.account))


async def _requests(call: EmulatedCall) -> web.Response:
    newest = call.request.query.get("calls", "")
    return answers.as_json(call.provider.wire.summary(int(newest) if newest.isdecimal() else None))
