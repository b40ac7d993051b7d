"""Segmind's refusals: the error envelope and the texts it uses."""

from __future__ import annotations

from aiohttp import web

from relightflow.backends.emulator.answers import as_json
from relightflow.model.money import Micros, dollars

NO_KEY = "Missing Authorization or x-api-key in header"
BAD_KEY = "Unauthorized. API key is invalid or may have expired. Please check your API key."


def error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return as_json({"error": message}, status, headers)


def auth_error(message: str) -> web.Response:
    """The auth surface has an envelope of its own."""
    return as_json({"error": message, "error_description": message, "status_code": 401}, 401)


def insufficient(balance: Micros, need: Micros) -> web.Response:
    return error(
        406,
        f"Insufficient credits. Your balance is ${dollars(balance)}, this request needs "
        f"${dollars(need)}.",
    )


def spend_limit(limit: Micros) -> web.Response:
    return error(406, f"Team spend limit of ${dollars(limit)} reached. Contact your administrator.")
