"""The emulated protocol is the documented one, before any backend speaks it."""

from __future__ import annotations

import base64
import json
from typing import Any

from relightflow.backends.emulator.images import tiny
from relightflow.backends.runware.emulator import RunwareEmulator
from relightflow.backends.runware.models import MODELS, task
from relightflow.model.values import FrozenMap

IMAGE = f"data:image/jpeg;base64,{base64.b64encode(tiny()).decode()}"
CELL = MODELS[0].normalise(FrozenMap())


def _said(emulator: RunwareEmulator, *tasks: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = emulator.answered(list(tasks))
    return answer.status, json.loads(answer.body)


def test_a_name_is_taken_once_and_its_record_shows_what_was_sent() -> None:
    emulator = RunwareEmulator("k")
    sent = task("bria:21@2", CELL, IMAGE, "u")
    assert _said(emulator, sent) == (
        200,
        {"data": [{"taskType": "imageInference", "taskUUID": "u"}]},
    )
    status, again = _said(emulator, sent)
    assert (status, again["errors"][0]["code"]) == (400, "conflictTaskUUID")
    assert len(emulator.bill) == 1
    _, record = _said(emulator, {"taskType": "getTaskDetails", "taskUUID": "u"})
    assert record["data"][0]["request"] == [sent]
    assert record["data"][0]["response"]["data"][0]["cost"] == 0.04


def test_tasks_of_one_request_are_answered_apart() -> None:
    emulator = RunwareEmulator("k")
    bad = {**task("bria:21@2", CELL, "no image", "bad"), "inputs": {"image": "no"}}
    status, found = _said(emulator, bad, task("bria:21@2", CELL, IMAGE, "good"))
    assert status == 200
    assert [row["taskUUID"] for row in found["data"]] == ["good"]
    assert [row["taskUUID"] for row in found["errors"]] == ["bad"]


def test_a_task_that_runs_is_processing() -> None:
    emulator = RunwareEmulator("k", seconds=60.0)
    _said(emulator, task("bria:21@2", CELL, IMAGE, "u"))
    asked = {"taskType": "getResponse", "taskUUID": "u"}
    assert _said(emulator, asked)[1]["data"][0]["status"] == "processing"
    emulator.skew = 61.0
    assert _said(emulator, asked)[1]["data"][0]["status"] == "success"
