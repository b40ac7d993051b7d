"""A job is looked for before it is queued, so that a kill makes nothing twice."""

from __future__ import annotations

import pytest

from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import Accepted
from tests.backends.comfyui.conftest import ConnectComfy, EmulateComfy
from tests.backends.conftest import error


async def test_a_job_that_was_queued_is_collected_and_not_queued_again(
    connect: ConnectComfy, emulate: EmulateComfy
) -> None:
    emulator = await emulate()
    context = await connect(emulator.url)
    call = await context.call()
    first = await context.backend.submit(call)
    second = await context.backend.submit(call)
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert first.request_id == second.request_id
    assert (await context.finish(second)).data
    assert emulator.bill()["totals"]["requests"] == 1


async def test_after_its_result_a_job_is_made_anew(
    connect: ConnectComfy, emulate: EmulateComfy
) -> None:
    emulator = await emulate()
    context = await connect(emulator.url)
    call = await context.call()
    await context.finish(await context.backend.submit(call))
    await context.finish(await context.backend.submit(call))
    assert emulator.bill()["totals"]["requests"] == 2


@pytest.mark.parametrize("plan", ["job-failed", "expire"])
async def test_what_failed_or_was_forgotten_is_queued_again_under_another_name(
    connect: ConnectComfy, emulate: EmulateComfy, plan: str
) -> None:
    emulator = await emulate(f"rules: [{{at: submit, nth: 1, fault: {plan}}}]")
    context = await connect(emulator.url)
    call = await context.call()
    first = await context.backend.submit(call)
    failure = await error(context.backend.collect(first))
    assert failure.kind in (FailureKind.JOB_FAILED, FailureKind.EXPIRED)
    assert failure.billed is (Billed.NO if plan == "job-failed" else Billed.UNKNOWN)
    second = await context.backend.submit(call)
    assert second != first
    assert (await context.finish(second)).cost == 0


async def test_a_server_that_is_not_there_is_named(connect: ConnectComfy) -> None:
    context = await connect("http://127.0.0.1:9")
    failure = await error(context.call())
    assert (failure.kind, failure.billed) == (FailureKind.UNSENT, Billed.NO)
    assert "cannot be reached at http://127.0.0.1:9" in failure.message
    assert "COMFYUI_URL" in failure.message
