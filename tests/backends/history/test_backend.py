"""What every backend does alike whose provider queues calls: shown with fal's, over real sockets."""

from __future__ import annotations

from typing import Any

from relightflow.model.evidence import ACCOUNT, DIGEST, SERVER_TIME
from relightflow.model.step import Accepted, Completed
from tests.backends.fal.conftest import connect as connect
from tests.backends.fal.conftest import emulate as emulate


async def test_a_call_is_searched_by_what_was_sent_and_when(connect: Any, emulate: Any) -> None:
    context = await connect((await emulate()).url, delivery="inline")
    details = context.backend.intent_details(await context.call())
    assert details["inline"]
    assert len(details[DIGEST]) == 64
    assert details[ACCOUNT]  # records are an account's
    assert SERVER_TIME in details  # fal is asked for its time before the first call
    step = await context.submit()
    assert isinstance(step, Accepted)
    assert SERVER_TIME in context.backend.intent_details(await context.call())
    assert isinstance(await context.finish(step), Completed)
