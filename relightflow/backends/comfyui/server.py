"""Talks to a ComfyUI server: upload, queue, history, results. Everything is free, and nothing is sent twice
by itself.

Source: ComfyUI's server.py and its pages on the routes. The server has no key and no memory beyond its own
life; a name that we give a call is kept, and not refused when it is given again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from relightflow.backends.http.client import BROKEN, UPLOAD_SECONDS, Api, reason
from relightflow.backends.http.hosts import ProviderHosts, overriding
from relightflow.backends.http.multipart import multipart
from relightflow.backends.http.response import Response, mapping, usable_id
from relightflow.backends.http.sanitize import shown
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.network.body import TooLarge, Unreadable, read_body

URL = "COMFYUI_URL"
"""The server's address; the operator's to set, never a recipe's."""
_HERE = "http://127.0.0.1:8188"
SUBMIT_SECONDS = 60.0
_SUBFOLDER = "relightflow"
_CAP = 16 << 20
"""Bytes of a queue or history: each entry holds its whole graph."""


@dataclass(frozen=True, slots=True)
class ComfyuiHosts(ProviderHosts):
    """The one server."""

    provider: str = "ComfyUI"
    api: str = _HERE
    key_header: str = ""


def from_environment(environment: Mapping[str, str]) -> ComfyuiHosts:
    """The server in force. Raises `UsageError` for an address that is none."""
    base, _ = overriding(environment, URL, plain=True)
    return ComfyuiHosts(api=base or _HERE, override=base or _HERE)


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A saved image, as the server calls it."""

    filename: str
    subfolder: str
    type: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that has ended."""

    output: OutputFile | None
    """None: it saved nothing."""
    error: str
    """Why it failed; empty: it did not."""


class ComfyApi(Api[ComfyuiHosts]):
    """The server's routes. Raises `CallFailed`."""

    __slots__ = ()

    async def upload(self, name: str, media_type: str, data: bytes) -> str:
        """Put an input image there; how a graph calls it."""
        fields = {"type": "input", "subfolder": _SUBFOLDER, "overwrite": "true"}
        body, kind = multipart(fields, "image", name, media_type, data)
        answer = await self.read(
            "POST", f"{self.hosts.api}/upload/image", "uploading an image to ComfyUI",
            content=body, headers={"Content-Type": kind}, seconds=UPLOAD_SECONDS,
        )  # fmt: skip
        found = mapping(answer.body)
        stored, folder = found.get("name"), found.get("subfolder", "")
        if answer.status == 200 and isinstance(stored, str) and isinstance(folder, str):
            return f"{folder}/{stored}" if folder else stored
        words = f"ComfyUI did not take the image (status {answer.status}): {answer.text}"
        kind_ = FailureKind.BAD_IMAGE if answer.status in (400, 413) else FailureKind.UNAVAILABLE
        raise CallFailed(Failure(kind_, words, status=answer.status))

    async def queued(self, prompt_id: str) -> bool:
        """Whether the call waits or runs."""
        found = await self._known("GET", "/queue", "reading ComfyUI's queue")
        rows: list[Any] = []
        for name in ("queue_running", "queue_pending"):
            part = found.get(name)
            if not isinstance(part, list):
                raise CallFailed(_unreadable("ComfyUI's queue"))
            rows += part
        return any(isinstance(row, list) and len(row) > 1 and row[1] == prompt_id for row in rows)

    async def ended(self, prompt_id: str, node: str) -> Ended | None:
        """How the call ended; None: the server knows of no end of it."""
        path = f"/history/{quote(prompt_id, safe='')}"
        found = await self._known("GET", path, "reading ComfyUI's history")
        row = found.get(prompt_id)
        return None if row is None else _ended(row, node)

    async def submit(self, graph: Mapping[str, Any], prompt_id: str) -> str:
        """Queue a graph under our name for it; the name that the server uses."""
        body = {"prompt": graph, "prompt_id": prompt_id, "client_id": "relightflow"}
        response, _ = await self.post_once(f"{self.hosts.api}/prompt", body, SUBMIT_SECONDS)
        async with response:
            try:
                data = await read_body(response, _CAP)
            except (TooLarge, Unreadable, *BROKEN) as error:
                raise CallFailed(_lost(reason(error))) from None
        answer = Response(response.status, response.headers, data)
        found = mapping(data)
        named = found.get("prompt_id")
        if answer.status == 200 and isinstance(named, str) and usable_id(named):
            return named
        if answer.status == 400 and "error" in found:
            words = f"ComfyUI refused the workflow: {_refusal(found)}"
            raise CallFailed(Failure(FailureKind.REFUSED_CELL, words, status=400))
        if 300 <= answer.status < 400:
            words = f"ComfyUI answered with a redirect ({answer.status}), which is never followed"
            raise CallFailed(Failure(FailureKind.REFUSED_SAFETY, words, status=answer.status))
        if answer.status in (401, 403):
            words = f"ComfyUI, or a proxy before it, refuses calls ({answer.status}): {answer.text}"
            raise CallFailed(Failure(FailureKind.ACCOUNT, words, status=answer.status))
        raise CallFailed(_lost(f"it answered {answer.status}"))

    def view(self, output: OutputFile) -> str:
        """Where a saved image can be fetched."""
        query = {"filename": output.filename, "subfolder": output.subfolder, "type": output.type}
        return f"{self.hosts.api}/view?{urlencode(query)}"

    async def _known(self, method: str, path: str, doing: str) -> dict[str, Any]:
        answer = await self.read(method, self.hosts.api + path, doing, cap=_CAP)
        try:
            found = json.loads(answer.body) if answer.status == 200 else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise CallFailed(_unreadable(doing, answer.status))
        return found


def _lost(why: str) -> Failure:
    words = f"no usable answer came from ComfyUI ({why}); the next run looks for the call there"
    return Failure(FailureKind.UNKNOWN, words, Billed.UNKNOWN)


def _unreadable(what: str, status: int | None = None) -> Failure:
    return Failure(FailureKind.UNAVAILABLE, f"{what} failed (status {status})", status=status)


def _ended(row: Any, node: str) -> Ended:
    row = row if isinstance(row, dict) else {}
    status = row.get("status")
    status = status if isinstance(status, dict) else {}
    if status.get("status_str") == "error":
        return Ended(None, _why(status.get("messages")))
    outputs = row.get("outputs")
    saved = outputs.get(node) if isinstance(outputs, dict) else None
    images = saved.get("images") if isinstance(saved, dict) else None
    one = images[0] if isinstance(images, list) and images else None
    if not isinstance(one, dict) or not isinstance(one.get("filename"), str):
        return Ended(None, "")
    return Ended(
        OutputFile(one["filename"], str(one.get("subfolder", "")), str(one.get("type", "output"))),
        "",
    )


def _why(messages: Any) -> str:
    """The reason in an ended call's messages: [["execution_error", {exception_message, node_type}], …]."""
    for row in messages if isinstance(messages, list) else ():
        if (
            isinstance(row, list)
            and len(row) == 2
            and row[0] in ("execution_error", "execution_interrupted")
        ):
            facts = row[1] if isinstance(row[1], dict) else {}
            text = facts.get("exception_message") or row[0].replace("_", " ")
            return shown(f"{facts.get('node_type', '')} {text}".strip())
    return "no reason given"


def _refusal(found: Mapping[str, Any]) -> str:
    error = found.get("error")
    words = [str(error.get("message", ""))] if isinstance(error, dict) else [str(error)]
    nodes = found.get("node_errors")
    for node, facts in nodes.items() if isinstance(nodes, dict) else ():
        errors = facts.get("errors", ()) if isinstance(facts, dict) else ()
        words += [
            f"node {node}: {one.get('message', '')} {one.get('details', '')}".strip()
            for one in errors
            if isinstance(one, dict)
        ]
    return shown("; ".join(words))
