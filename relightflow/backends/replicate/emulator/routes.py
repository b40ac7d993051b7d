"""Which path is which phase of Replicate's protocol. Its two hosts share one port."""

from __future__ import annotations

from aiohttp import web

from relightflow.backends.emulator.answers import Refused
from relightflow.backends.emulator.provider import EmulatedCall, Provider
from relightflow.backends.emulator.routes import READ, shared
from relightflow.backends.replicate.emulator import files, predictions


def route(provider: Provider, request: web.BaseRequest) -> EmulatedCall:
    """The call that `request` makes. Raises Refused: 404, 405."""
    methods: tuple[str, ...] = READ
    match request.path.strip("/").split("/"):
        case _ if (served := shared(provider, request)) is not None:
            call = served
        case ["v1", "account"]:
            call = EmulatedCall(provider, request, "credits", predictions.account)
        case ["v1", "files"]:
            methods, call = ("POST",), EmulatedCall(provider, request, "upload", files.upload)
        case ["v1", "files", name]:
            call = EmulatedCall(provider, request, "asset", files.get, name)
        case ["v1", "predictions"] if request.method == "POST":
            methods = ("POST",)
            call = EmulatedCall(provider, request, "submit", predictions.create, api="replicate")
        case ["v1", "predictions"]:
            call = EmulatedCall(provider, request, "history", predictions.listing)
        case ["v1", "predictions", name]:
            call = EmulatedCall(provider, request, "status", predictions.get, name)
        case ["v1", "predictions", name, "cancel"]:
            methods = ("POST",)
            call = EmulatedCall(provider, request, "status", predictions.cancel, name)
        case ["v1", "models", owner, model, "versions", name]:
            call = EmulatedCall(provider, request, "status", predictions.version, name)
            call.facts["model"] = f"{owner}/{model}"
        case ["v1", "models", owner, model, "predictions"]:
            methods = ("POST",)
            name = f"{owner}/{model}"
            call = EmulatedCall(provider, request, "submit", predictions.create, name, "replicate")
        case _:
            words = "The requested resource could not be found."
            raise Refused(predictions.error(404, "Not found", words))
    if request.method not in methods:
        raise Refused(
            predictions.error(405, "Method not allowed", f'Method "{request.method}" not allowed.')
        )
    return call
