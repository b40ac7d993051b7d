"""The part of the backend kit for providers that take our name for a call (`Settlement("key", …)`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from relightflow.model.failure import CallFailed, FailureKind
from relightflow.model.job import Job
from relightflow.model.step import Accepted, ResultKnown, Step
from relightflow.plugins.backend import Backend, Call, HasIntentDetails, HasRequestBody

_MOST_TRIES = 1000
"""A call that still runs after so many is never going to end."""


def named_call(backend: Backend, job: Job, prepared: Any) -> Call:
    """A call as the engine makes it: with a name of its own, and its body where the backend has one."""
    call = Call(job, prepared, uuid4().hex)
    if isinstance(backend, HasRequestBody):
        call = replace(call, body=backend.request_body(call))
    return call


async def check_named(
    name: str, opened: Callable[[], Awaitable[Backend]], backend: Backend, call: Call
) -> None:
    """The answer to `call` is lost, and other instances send it again, twice. `name`: the record's.

    Raises AssertionError, and CallFailed where a call that was taken is refused.
    """
    assert isinstance(backend, HasRequestBody)
    assert backend.request_body(call) == call.body, (
        f"{name}: request_body gave other bytes for the same call, so a provider would take it for "
        "another one"
    )
    if isinstance(backend, HasIntentDetails):
        try:
            backend.intent_details(replace(call, prepared=None))
        except Exception as error:
            raise AssertionError(
                f"{name}: intent_details of a call without `prepared`, which is sent again, raised "
                f"{error!r}"
            ) from error
    first = await backend.submit(call)
    for _ in range(2):
        other = await opened()
        try:
            step = await _sent_again(name, other, call)
        finally:
            await other.close()
        assert isinstance(step, Accepted | ResultKnown), (
            f"{name}: a call that is sent again must give `Accepted` or `ResultKnown`, not "
            f"{type(step).__name__}"
        )
        assert step.request_id == first.request_id, (
            f"{name}: the same call under the same name became another request "
            f"({first.request_id}, {step.request_id})"
        )


async def _sent_again(name: str, backend: Backend, call: Call) -> Step:
    """`call` as the engine sends it: without `prepared`, asked until it has been taken."""
    for _ in range(_MOST_TRIES):
        try:
            return await backend.submit(replace(call, prepared=None))
        except CallFailed as error:
            if error.failure.kind is not FailureKind.PENDING:
                raise
            await asyncio.sleep(min(error.failure.retry_after or 0.0, 0.05))
    raise AssertionError(f"{name}: a call that is sent again runs for ever")
