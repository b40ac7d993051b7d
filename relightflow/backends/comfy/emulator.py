"""Comfy Router's protocol on this machine: one held request a call, keys that are billed once, estimates.

What is emulated is what docs/reference/comfy.md has from the provider's pages.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from relightflow.backends.emulator.images import tiny, unique
from relightflow.backends.emulator.plain import BilledCall, EmulatedAnswer, Emulator, image_in

CREDITS = 8.44
"""Of one call: 0.04 USD."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One call that its key names."""

    digest: str
    """Of the body, which must be the same each time."""
    since: float
    done: float


class ComfyEmulator(Emulator):
    """`holds`: seconds for which a request is held, then its deadline passes. `remembers`: for which a key
    is kept."""

    def __init__(
        self, key: str, seconds: float = 0.0, holds: float = 600.0, remembers: float = 86_400.0
    ) -> None:
        super().__init__(key, seconds)
        self.holds, self.remembers = holds, remembers
        self.calls: dict[str, _Call] = {}
        self.credits = CREDITS
        """What an estimate says."""
        self.replays = True
        """False: a used key cannot be replayed."""

    def phase(self, request: web.BaseRequest, body: bytes) -> str:  # noqa: ARG002  the path says it
        if request.path.startswith("/v2/models"):
            if request.method == "GET":
                return "catalogue"
            return "estimate" if request.path.endswith("/estimate") else "submit"
        return "download"

    async def answer(self, request: web.BaseRequest, body: bytes) -> EmulatedAnswer:
        phase = self.phase(request, body)
        if phase == "download":
            name = request.path.rpartition("/")[2].partition(".")[0]
            return await self.picture(name, unique(tiny(), name))
        if not self.accepts(request.headers.get("X-API-Key", "")):
            return _error(401, "unauthorized", "The API key is not valid")
        if phase == "catalogue":
            return EmulatedAnswer.of(
                {"data": [{"id": "bria/image-edit-relight"}], "next_cursor": None}
            )
        if phase == "estimate":
            return EmulatedAnswer.of({"credits": self.credits})
        return await self._call(request, body)

    async def _call(self, request: web.BaseRequest, body: bytes) -> EmulatedAnswer:
        key, digest = request.headers.get("Idempotency-Key", ""), hashlib.sha256(body).hexdigest()
        known = self.calls.get(key)
        if known is not None and self.now - known.since <= self.remembers:
            return self._again(key, known, digest)
        sent = _fields(body)
        if wrong := _refused(sent):
            return wrong
        call = _Call(digest, self.now, self.now + self.seconds)
        self.calls[key] = call
        shown = {name: value for name, value in sent.items() if name != "image"}
        model = request.path.removeprefix("/v2/models/")
        self.bill.append(BilledCall(key, model, shown, image_in(sent.get("image")) or b""))
        await asyncio.sleep(min(self.seconds, self.holds))
        if self.seconds > self.holds:
            return _error(504, "deadline_exceeded", "The deadline passed", Retry_After="1")
        return self._result(key, X_Comfy_Credits_Used=f"{CREDITS:.2f}")

    def _again(self, key: str, known: _Call, digest: str) -> EmulatedAnswer:
        if known.digest != digest:
            return _error(409, "invalid_input", "The key was used with another body")
        if not self.replays:
            return _error(409, "invalid_input", "The result cannot be replayed")
        if self.now < known.done:
            return _error(
                409, "concurrency_limit_exceeded", "The first call still runs", Retry_After="1"
            )
        return self._result(key, Idempotent_Replayed="true")

    def _result(self, key: str, **headers: str) -> EmulatedAnswer:
        result = {"image_url": f"{self.url}/image/{key}.jpg", "seed": 7}
        return EmulatedAnswer.of(
            {"status": "COMPLETED", "result": result, "error": None}, 200, **headers
        )


def _refused(sent: dict[str, Any]) -> EmulatedAnswer | None:
    image = image_in(sent.get("image"))
    if image is None or not image.startswith((b"\x89PNG", b"\xff\xd8", b"RIFF")):
        return _invalid("image", "is not an image")
    if sent.get("light_type") in ("", "refuse me"):
        return _invalid("light_type", "is not one of the allowed values")
    return None


def _invalid(field: str, why: str) -> EmulatedAnswer:
    rows = [{"loc": ["body", field], "msg": f"{field} {why}", "type": "value_error"}]
    return EmulatedAnswer.of({"detail": rows}, 422, X_Comfy_Error_Type="invalid_input")


def _error(status: int, kind: str, words: str, **headers: str) -> EmulatedAnswer:
    return EmulatedAnswer.of({"detail": words}, status, X_Comfy_Error_Type=kind, **headers)


def _fields(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
