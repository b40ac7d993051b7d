"""What the server's answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relightflow.backends.comfyui.server import URL, Ended, OutputFile, _ended, from_environment
from relightflow.errors import UsageError
from relightflow.model.failure import Billed, FailureKind
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.queued import Connect

SAVED = {"filename": "a.png", "subfolder": "s", "type": "output"}


@pytest.mark.parametrize(
    ("row", "ended"),
    [
        ({"outputs": {"9": {"images": [SAVED]}}}, Ended(OutputFile("a.png", "s", "output"), "")),
        ({"outputs": {"8": {"images": [SAVED]}}}, Ended(None, "")),
        ({"outputs": {}, "status": {"status_str": "success"}}, Ended(None, "")),
        ({"status": {"status_str": "error", "messages": []}}, Ended(None, "no reason given")),
        (
            {
                "status": {
                    "status_str": "error",
                    "messages": [
                        ["execution_error", {"exception_message": "boom", "node_type": "K"}]
                    ],
                }
            },
            Ended(None, "K boom"),
        ),
        ([], Ended(None, "")),
    ],
)
def test_how_a_call_ended_is_read_from_its_history(row: Any, ended: Ended) -> None:
    assert _ended(row, "9") == ended


async def test_a_refused_workflow_names_the_node(connect: Connect, listen: Listen) -> None:
    refusal = {
        "error": {"type": "prompt_outputs_failed_validation", "message": "invalid outputs"},
        "node_errors": {"4": {"errors": [{"message": "Value not in list", "details": "ckpt"}]}},
    }

    def choose(first: str, *_: object) -> bytes:
        if first.startswith("POST /upload"):
            return answer(200, {"name": "a.jpg", "subfolder": "relightflow"})
        return answer(400, refusal)

    context = await connect(await listen(replying(choose)))
    failure = await error(context.backend.submit(await context.call()))
    assert (failure.kind, failure.billed) == (FailureKind.REFUSED_CELL, Billed.NO)
    assert "node 4: Value not in list ckpt" in failure.message


async def test_an_upload_is_a_form_that_names_the_image_by_its_content(
    connect: Connect, listen: Listen
) -> None:
    bodies: list[bytes] = []

    def choose(_: str, __: dict[str, str], body: bytes) -> bytes:
        bodies.append(body)
        return answer(200, {"name": "a.jpg", "subfolder": "relightflow", "type": "input"})

    context = await connect(await listen(replying(choose)))
    call = await context.call()
    assert call.prepared == "relightflow/a.jpg"
    assert call.job.image.sha256[:32].encode() in bodies[0]
    assert b'name="overwrite"\r\n\r\ntrue' in bodies[0]


async def test_a_call_bears_our_name(connect: Connect, listen: Listen) -> None:
    sent: list[Any] = []

    def choose(first: str, _: dict[str, str], body: bytes) -> bytes:
        if first.startswith("POST /upload"):
            return answer(200, {"name": "a.jpg"})
        sent.append(json.loads(body))
        return answer(200, {"prompt_id": "the-server-s-own"})

    context = await connect(await listen(replying(choose)))
    step = await context.backend.submit(await context.call())
    assert len(sent[0]["prompt_id"]) == 36
    assert getattr(step, "request_id", "") == "the-server-s-own", "an older server mints its own"


def test_the_server_is_the_operator_s_to_name() -> None:
    assert from_environment({}).api == "http://127.0.0.1:8188"
    assert from_environment({URL: "http://gpu.lan:8188"}).api == "http://gpu.lan:8188"
    with pytest.raises(UsageError, match=URL):
        from_environment({URL: "gpu"})
