"""Which path is which phase of fal's protocol. All of its hosts share one port."""

from __future__ import annotations

from aiohttp import web

from relightflow.backends.emulator.answers import Refused
from relightflow.backends.emulator.provider import EmulatedCall, Provider
from relightflow.backends.emulator.routes import READ, shared
from relightflow.backends.fal.emulator import platform, queue


def route(provider: Provider, request: web.BaseRequest) -> EmulatedCall:
    """The call that `request` makes. Raises Refused: 404, 405."""
    methods: tuple[str, ...] = READ
    match request.path.strip("/").split("/"):
        case _ if (served := shared(provider, request)) is not None:
            call = served
        case ["storage", "auth", "token"]:
            methods, call = ("POST",), EmulatedCall(provider, request, "upload", platform.token)
        case ["storage", "upload", "initiate"]:
            methods = ("POST",)
            call = EmulatedCall(provider, request, "upload", platform.start_upload)
        case ["storage", "put", name]:
            methods, call = ("PUT",), EmulatedCall(provider, request, "upload", platform.put, name)
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
