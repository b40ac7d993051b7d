"""Runware's protocol on this machine: tasks in an array, names that are taken once, records of tasks.

What is emulated is what docs/reference/runware.md has from the provider's pages. The same tasks are
answered over HTTP and over the WebSocket that the provider's own SDK speaks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from relightflow.backends.emulator.images import tiny, unique
from relightflow.backends.emulator.plain import BilledCall, EmulatedAnswer, Emulator, image_in

PRICE = 0.04
_LARGEST_MESSAGE = 128 << 20


@dataclass(slots=True)
class _Task:
    """One accepted task."""

    sent: dict[str, Any]
    done: float
    """When it is finished, in the emulator's Unix seconds."""
    answer: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)


class RunwareEmulator(Emulator):
    """`remembers`: seconds for which a used name is refused; `keeps`: for which a record is there."""

    def __init__(
        self, key: str, seconds: float = 0.0, remembers: float = 1e9, keeps: float = 1e9
    ) -> None:
        super().__init__(key, seconds)
        self.remembers, self.keeps = remembers, keeps
        self.tasks: dict[str, tuple[float, _Task]] = {}
        self.fails: dict[str, Any] = {}
        """The error that every task ends with; empty: none."""
        self.refuses = ""
        """The code with which every task is refused before it runs; empty: none."""

    def phase(self, request: web.BaseRequest, body: bytes) -> str:
        if request.method == "GET":
            return "download"
        kinds = [task.get("taskType") for task in _tasks(body)]
        names = {"imageInference": "submit", "getResponse": "poll", "getTaskDetails": "details"}
        return names.get(str(kinds[0]) if kinds else "", "other")

    async def answer(self, request: web.BaseRequest, body: bytes) -> EmulatedAnswer:
        if request.method == "GET":
            name = request.path.rpartition("/")[2].partition(".")[0]
            return await self.picture(name, unique(tiny(), name))
        if not self.accepts(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            error = {"code": "invalidApiKey", "message": "Invalid API key", "parameter": "apiKey"}
            return EmulatedAnswer.of({"errors": [{**error, "taskType": "authentication"}]}, 401)
        return self.answered(_tasks(body))

    async def conversation(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """The WebSocket that the provider's own SDK speaks: the same tasks, answered one by one."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return None
        socket = web.WebSocketResponse(max_msg_size=_LARGEST_MESSAGE)
        await socket.prepare(request)
        greeted = False
        async for message in socket:
            for task in _tasks(str(message.data).encode()):
                kind = task.get("taskType")
                if kind == "authentication":
                    greeted = self.accepts(str(task.get("apiKey") or ""))
                    told = {"taskType": kind, "connectionSessionUUID": "emulated"}
                    wrong = _error("invalidApiKey", "Invalid API key", task)
                    await socket.send_json({"data": [told]} if greeted else {"errors": [wrong]})
                elif kind == "ping":
                    await socket.send_json({"data": [{"taskType": "ping", "pong": True}]})
                elif greeted:
                    self.seen[f"socket {kind}"] += 1
                    await socket.send_str(self.answered([task]).body.decode())
        return socket

    def answered(self, tasks: list[dict[str, Any]]) -> EmulatedAnswer:
        """What is answered to an array of tasks."""
        data: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for task in tasks:
            rows, wrong = self._one(task)
            data += rows
            errors += wrong
        found = {name: rows for name, rows in (("data", data), ("errors", errors)) if rows}
        return EmulatedAnswer.of(found or {"data": []}, 400 if errors and not data else 200)

    def _one(self, task: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        kind, uuid = task.get("taskType"), str(task.get("taskUUID") or "")
        if kind == "imageInference":
            return self._submit(task, uuid)
        accepted, found = self.tasks.get(uuid, (0.0, None))
        if found is None or (kind == "getTaskDetails" and self.now - accepted > self.keeps):
            return [], [_error("taskNotFound", "The task was not found", task)]
        if kind == "getTaskDetails":
            finished = self.now >= found.done
            said = {"errors": [found.error]} if found.error else {"data": [found.answer]}
            row = {"request": [found.sent], "response": said if finished else {}}
            return [{"taskType": kind, "taskUUID": uuid, **row}], []
        if self.now < found.done:
            return [{"taskType": "imageInference", "taskUUID": uuid, "status": "processing"}], []
        if found.error:
            return [], [found.error]
        return [{**found.answer, "status": "success"}], []

    def _submit(
        self, task: dict[str, Any], uuid: str
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        accepted, known = self.tasks.get(uuid, (0.0, None))
        if known is not None and self.now - accepted <= self.remembers:
            return [], [_error("conflictTaskUUID", "The taskUUID was used already", task)]
        if self.refuses:
            return [], [_error(self.refuses, "no", task)]
        if wrong := self._refused(task):
            return [], [wrong]
        image = image_in(task["inputs"]["image"])
        settings = dict(task["providerSettings"]["bria"])
        failed = {**_error("", "", task), **self.fails} if self.fails else {}
        taken = _Task(task, self.now + self.seconds, error=failed)
        taken.answer = {
            "taskType": "imageInference",
            "taskUUID": uuid,
            "imageUUID": uuid,
            "imageURL": f"{self.url}/image/{uuid}.jpg",
            "cost": PRICE,
            "seed": len(self.tasks),
        }
        self.tasks[uuid] = (self.now, taken)
        if not failed:
            self.bill.append(BilledCall(uuid, str(task["model"]), settings, image or b""))
        if task.get("deliveryMethod") == "async":
            return [{"taskType": "imageInference", "taskUUID": uuid}], []
        return ([], [failed]) if failed else ([taken.answer], [])

    def _refused(self, task: dict[str, Any]) -> dict[str, Any] | None:
        inputs = task.get("inputs")
        image = image_in(inputs.get("image")) if isinstance(inputs, dict) else None
        if image is None or not image.startswith((b"\x89PNG", b"\xff\xd8", b"RIFF")):
            return _error("invalidImage", "inputs.image is not an image", task, "inputs.image")
        if task.get("model") != "bria:21@2":
            return _error("invalidModel", "The model was not found", task, "model")
        bria = (task.get("providerSettings") or {}).get("bria") or {}
        if bria.get("lightType") in (None, "refuse me"):
            return _error("invalidLightType", "lightType is not allowed", task, "lightType")
        return None


def _error(code: str, message: str, task: dict[str, Any], parameter: str = "") -> dict[str, Any]:
    row = {"code": code, "message": message, "taskType": task.get("taskType")}
    return {**row, "parameter": parameter, "taskUUID": task.get("taskUUID")}


def _tasks(body: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return []
    return [task for task in found if isinstance(task, dict)] if isinstance(found, list) else []
