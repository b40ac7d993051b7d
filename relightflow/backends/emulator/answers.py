"""Answers of an emulated provider: JSON, refusals, and HTML where a proxy would send it."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web


class Refused(Exception):
    """The request goes no further, unbilled; carries the answer."""

    def __init__(self, answer: web.Response) -> None:
        self.answer = answer
        super().__init__(answer.status)


def as_json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=json.dumps(body).encode(),
        status=status,
        headers=headers,
        content_type="application/json",
    )


def html(status: int, title: str) -> web.Response:
    """An error page, as a proxy in front of the provider writes it."""
    page = f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return web.Response(text=page, status=status, content_type="text/html")
