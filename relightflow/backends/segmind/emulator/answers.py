"""The provider's answers: JSON, the error envelope, the texts it uses, HTML where it sends HTML."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from relightflow.model.money import Micros, dollars

NO_KEY = "Missing Authorization or x-api-key in header"
BAD_KEY = "Unauthorized. API key is invalid or may have expired. Please check your API key."


def as_json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=json.dumps(body).encode(),
        status=status,
        headers=headers,
        content_type="application/json",
    )


def error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return as_json({"error": message}, status, headers)


def failure(
    protocol: str, status: int, message: str, headers: dict[str, str] | None = None
) -> web.Response:
    """A refusal in the words of `protocol`."""
    return as_json({_ENVELOPES.get(protocol, "error"): message}, status, headers)


_ENVELOPES = {"fal": "detail"}
"""What a refusal's reason is called, where it is not `error`."""


def auth_error(message: str) -> web.Response:
    """The auth surface has an envelope of its own."""
    return as_json({"error": message, "error_description": message, "status_code": 401}, 401)


def html(status: int, title: str) -> web.Response:
    """An error page, as a proxy in front of the gateway writes it."""
    page = f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return web.Response(text=page, status=status, content_type="text/html")


def insufficient(balance: Micros, need: Micros) -> web.Response:
    return error(
        406,
        f"Insufficient credits. Your balance is ${dollars(balance)}, this request needs "
        f"${dollars(need)}.",
    )


def spend_limit(limit: Micros) -> web.Response:
    return error(406, f"Team spend limit of ${dollars(limit)} reached. Contact your administrator.")
