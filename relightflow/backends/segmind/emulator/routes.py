"""Which path is which phase of the protocol. All three of the provider's hosts share one port."""

from __future__ import annotations

from aiohttp import web

from relightflow.backends.emulator.answers import Refused, html
from relightflow.backends.emulator.provider import EmulatedCall, Provider
from relightflow.backends.emulator.routes import READ, shared
from relightflow.backends.segmind.emulator import answers, history, uploads, v1, v2


def route(provider: Provider, request: web.BaseRequest) -> EmulatedCall:
    """The call that `request` makes. Raises Refused: 404 (JSON), 405 (an HTML page)."""
    methods: tuple[str, ...] = READ
    match request.path.strip("/").split("/"):
        case _ if (served := shared(provider, request)) is not None:
            call = served
        case ["v1", "get-user-credits"]:
            call = EmulatedCall(provider, request, "credits", uploads.credits_)
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
        case ["upload-asset"]:
            methods, call = ("POST",), EmulatedCall(provider, request, "upload", uploads.upload)
        case ["inference-request", "request-history"]:
            call = EmulatedCall(provider, request, "history", history.page)
        case ["inference-request", "request-history", name]:
            call = EmulatedCall(provider, request, "history", history.one, name)
        case _:
            raise Refused(answers.error(404, "Not found"))
    if request.method not in methods:
        raise Refused(html(405, "405 Method Not Allowed"))
    return call
