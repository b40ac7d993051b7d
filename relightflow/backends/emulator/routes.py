"""What every protocol serves beside its own API: result files, uploads, the bill and the log of requests."""

from __future__ import annotations

from aiohttp import web

from relightflow.backends.emulator import answers, files
from relightflow.backends.emulator.account import bill
from relightflow.backends.emulator.provider import EmulatedCall, Provider

READ = ("GET", "HEAD")


def shared(provider: Provider, request: web.BaseRequest) -> EmulatedCall | None:
    """The call that `request` makes, if it is none of the API's."""
    match request.path.strip("/").split("/"):
        case ["__bill"]:
            return EmulatedCall(provider, request, "", _bill)
        case ["__requests"]:
            return EmulatedCall(provider, request, "", _requests)
        case ["outputs", name]:
            return EmulatedCall(provider, request, "download", files.output, name)
        case ["assets", name]:
            return EmulatedCall(provider, request, "asset", files.asset, name)
    return None


async def _bill(call: EmulatedCall) -> web.Response:
    return answers.as_json(bill(call.provider.account))


async def _requests(call: EmulatedCall) -> web.Response:
    newest = call.request.query.get("calls", "")
    return answers.as_json(call.provider.wire.summary(int(newest) if newest.isdecimal() else None))
