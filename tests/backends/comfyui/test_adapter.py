"""A job is looked for before it is queued, so that a kill makes nothing twice."""

from __future__ import annotations

import asyncio
import pickle

import pytest

from relightflow.backends.comfyui import adapter
from relightflow.backends.comfyui.server import URL
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import Accepted
from relightflow.network import apart
from relightflow.plugins.executor import TaskRefused
from tests.backends.comfyui.conftest import IMAGE
from tests.backends.conftest import error
from tests.backends.queued import Connect, Emulate


async def test_a_job_that_was_queued_is_collected_and_not_queued_again(
    connect: Connect, emulate: Emulate
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


async def test_after_its_result_a_job_is_made_anew(connect: Connect, emulate: Emulate) -> None:
    emulator = await emulate()
    context = await connect(emulator.url)
    call = await context.call()
    await context.finish(await context.backend.submit(call))
    await context.finish(await context.backend.submit(call))
    assert emulator.bill()["totals"]["requests"] == 2


@pytest.mark.parametrize("plan", ["job-failed", "expire"])
async def test_what_failed_or_was_forgotten_is_queued_again_under_another_name(
    connect: Connect, emulate: Emulate, plan: str
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


async def test_a_worker_makes_a_job_once_however_often_it_is_asked(
    connect: Connect, emulate: Emulate
) -> None:
    emulator = await emulate()
    context = await connect(emulator.url)
    call = await context.call()
    make = pickle.loads(pickle.dumps(context.backend.maker(call.job)))
    made = [await asyncio.to_thread(make, IMAGE) for _ in range(2)]
    assert made[0] == made[1] == (await context.finish(await context.backend.submit(call))).data
    assert emulator.bill()["totals"]["requests"] == 1, "what a worker made is collected here too"
    assert make.seconds > 180
    assert make.job.image.locator == ""
    await _close_kept(emulator.url)


async def test_a_worker_uses_the_server_of_its_own_environment(
    connect: Connect, emulate: Emulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = await emulate(), await emulate()
    context = await connect(ours.url)
    make = context.backend.maker((await context.call()).job)
    assert make
    monkeypatch.setenv(URL, theirs.url)
    assert await asyncio.to_thread(make, IMAGE)
    requests = [one.bill()["totals"]["requests"] for one in (ours, theirs)]
    assert requests == [0, 1]
    await _close_kept(theirs.url)


async def test_a_worker_gives_back_what_only_its_own_server_cannot_do(
    connect: Connect, emulate: Emulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = await emulate("rules: [{at: submit, nth: 1, fault: job-failed}]")
    context = await connect(emulator.url)
    job = (await context.call()).job
    make = context.backend.maker(job)
    assert make
    failure = await error(asyncio.to_thread(make, IMAGE))
    assert failure.kind is FailureKind.JOB_FAILED
    monkeypatch.setenv(URL, "http://127.0.0.1:9")
    with pytest.raises(TaskRefused, match="a worker could not use ComfyUI"):
        await asyncio.to_thread(make, IMAGE)
    await _close_kept(emulator.url, "http://127.0.0.1:9")


async def test_what_an_earlier_run_has_queued_is_no_worker_s(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate()).url)
    call = await context.call()
    assert context.backend.maker(call.job)
    await context.backend.submit(call)
    assert context.backend.maker(call.job) is None


async def _close_kept(*addresses: str) -> None:
    """What a worker keeps until its process ends."""
    for address in addresses:
        for part in adapter._kept(address):
            await asyncio.to_thread(apart.run, part.session.close())
    adapter._kept.cache_clear()


async def test_a_server_that_is_not_there_is_named(connect: Connect) -> None:
    context = await connect("http://127.0.0.1:9")
    failure = await error(context.call())
    assert (failure.kind, failure.billed) == (FailureKind.UNSENT, Billed.NO)
    assert "cannot be reached at http://127.0.0.1:9" in failure.message
    assert "COMFYUI_URL" in failure.message
