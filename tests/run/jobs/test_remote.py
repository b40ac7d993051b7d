"""What workers do in a run: nothing that is billed, nothing that cannot be repeated, and no secret."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import ResultKnown
from relightflow.plugins.backend import UNSETTLED
from relightflow.plugins.executor import ExecutorUnavailable, Task
from relightflow.plugins.opening import Sources
from tests import scripted_backend
from tests.conftest import Stage
from tests.scripted_executor import ScriptedExecutor, installed, never

SIX = list(range(6))


def _ran(stage: Stage, executor: ScriptedExecutor, **more: Any) -> None:
    summary = stage.run(**installed(stage, executor), **more)
    assert (summary.exit, summary.counts.made) == (0, 6), summary.issues
    assert len(stage.images()) == 6
    assert len(set(stage.provider.bill)) == len(stage.provider.bill) == 6
    assert not list(stage.state_dir.blobs.glob("tmp-worker-*"))
    assert executor.closed == 1


def _paid(stage: Stage) -> None:
    stage.provider.mode = "v2"
    stage.recipe(SIX)


def test_workers_check_inputs_download_and_deliver_and_the_driver_buys(stage: Stage) -> None:
    _paid(stage)
    executor = ScriptedExecutor()
    _ran(stage, executor)
    assert executor.names.count("check-input") == 1
    assert executor.names.count("download") == executor.names.count("deliver") == 6
    assert not [step for step in stage.provider.collects if isinstance(step, ResultKnown)]


def test_what_is_done_twice_is_bought_once(stage: Stage) -> None:
    """The second download is a file that nobody wants, until the next run sweeps it."""
    _paid(stage)
    executor = ScriptedExecutor(lambda *_: 2)
    summary = stage.run(**installed(stage, executor))
    assert (summary.exit, len(stage.provider.bill), len(stage.images())) == (0, 6, 6)
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 6
    assert not list(stage.state_dir.blobs.glob("tmp-*"))


def test_what_no_worker_does_is_done_here_and_said_once(stage: Stage) -> None:
    _paid(stage)
    _ran(stage, ScriptedExecutor(never))
    words = [notice for notice in stage.notices if notice.startswith("executor: ")]
    assert words == [
        "executor: no worker is there; done on this machine. Nothing is lost, and nothing is bought again"
    ]


def test_a_scheduler_that_goes_is_asked_nothing_more(stage: Stage) -> None:
    _paid(stage)

    def goes(_: Task[Any], number: int) -> None:
        if number >= 3:
            raise ExecutorUnavailable("the scheduler is gone", gone=True)

    executor = ScriptedExecutor(goes)
    _ran(stage, executor)
    assert len(executor.names) < 8, "once it is gone, only what was under way finds out"


def test_a_worker_that_cannot_reach_a_result_does_not_fail_its_job(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network of a compute node may end at its rack."""
    _paid(stage)
    monkeypatch.setattr(scripted_backend.ScriptedBackend, "fetcher", lambda self, step: _no_route)
    _ran(stage, ScriptedExecutor())
    assert "a worker could not download a result (no route)" in " ".join(stage.notices)


def _no_route() -> bytes:
    raise CallFailed(Failure(FailureKind.PENDING, "no route"))


def test_workers_that_refuse_are_not_asked_for_ever(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.provider.mode = "v2"
    stage.recipe(list(range(40)), concurrency=1)
    monkeypatch.setattr(scripted_backend.ScriptedBackend, "fetcher", lambda self, step: _no_route)
    executor = ScriptedExecutor()
    assert stage.run(**installed(stage, executor)).exit == 0
    assert executor.names.count("download") == 5
    assert executor.names.count("deliver") == 40, "what they can do they go on doing"


def _uploads(stage: Stage) -> None:
    _paid(stage)
    stage.settle(UNSETTLED, scripted_backend.UploadingBackend)


def test_an_input_is_read_decoded_and_uploaded_by_a_worker(stage: Stage) -> None:
    _uploads(stage)
    executor = ScriptedExecutor()
    _ran(stage, executor)
    assert executor.names.count("upload") == 1, "once for all jobs of the image"
    assert "check-input" not in executor.names
    assert not stage.provider.prepared
    signed = [b"signature=s" in content for content in executor.sent]
    assert signed == [name == "upload" for name in executor.names]


def test_an_upload_that_no_worker_makes_is_made_here(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _uploads(stage)
    monkeypatch.setattr(scripted_backend, "_uploaded", _no_storage)
    _ran(stage, ScriptedExecutor())
    assert stage.provider.prepared == ["in/a.png"]
    assert "a worker could not upload an input image (no route)" in " ".join(stage.notices)


def _no_storage(url: str, data: bytes) -> str:
    raise OSError("no route")


def test_a_damaged_input_is_found_by_the_worker_that_would_upload_it(stage: Stage) -> None:
    _uploads(stage)
    head, rest = scripted_backend.png("a").split(b"IDAT")
    (stage.folder / "in/a.png").write_bytes(head + b"IDAT" + bytes(6) + rest[6:])
    executor = ScriptedExecutor()
    summary = stage.run(**installed(stage, executor))
    assert (summary.exit, stage.provider.bill) == (1, [])
    assert "not sent, not billed" in summary.issues[0].message
    assert "deliver" not in executor.names


def test_what_reads_an_image_is_asked_for_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object store may have to be asked for a signature."""
    stage.recipe(SIX, model="gift")
    asked: list[str] = []
    real = Sources.reader

    def reader(self: Sources, image: Image) -> Callable[[], bytes] | None:
        asked.append(image.name)
        return real(self, image)

    monkeypatch.setattr(Sources, "reader", reader)
    assert stage.run(**installed(stage, ScriptedExecutor())).exit == 0
    assert asked == ["in/a.png"]


def test_a_free_job_is_made_as_a_whole_on_a_worker(stage: Stage) -> None:
    stage.recipe(SIX, model="gift")
    executor = ScriptedExecutor()
    summary = stage.run(**installed(stage, executor))
    assert (summary.exit, len(stage.images())) == (0, 6)
    assert executor.names.count("make-studio") == 6
    assert not stage.provider.submits
    assert not stage.provider.prepared


def test_a_job_with_a_price_is_never_made_on_a_worker(stage: Stage) -> None:
    _paid(stage)
    executor = ScriptedExecutor()
    _ran(stage, executor)
    assert "make-studio" not in executor.names
    assert len(stage.provider.submits) == 6


def test_a_free_job_that_no_worker_makes_is_made_here(stage: Stage) -> None:
    stage.recipe(SIX, model="gift")
    assert stage.run(**installed(stage, ScriptedExecutor(never))).exit == 0
    assert len(stage.provider.submits) == 6


def test_no_task_bears_where_an_input_or_another_result_can_be_had(stage: Stage) -> None:
    _paid(stage)
    executor = ScriptedExecutor()
    _ran(stage, executor)
    for name, content in zip(executor.names, executor.sent, strict=True):
        assert b"https://studio" not in content
        assert (str(stage.folder / "in/a.png").encode() in content) == (name == "check-input")
        assert len(content) < 4096
    assert max(map(len, executor.received)) < 1024, "images travel by digest and place"


def test_the_run_leaves_while_a_worker_is_busy(stage: Stage) -> None:
    """A result whose download was asked for is downloaded by the next run, and not bought again."""
    _paid(stage)
    executor = _Busy()

    async def run() -> int:
        made = asyncio.ensure_future(stage.go(**installed(stage, executor)))
        await executor.asked.wait()
        os.kill(os.getpid(), signal.SIGINT)
        return (await made).exit

    assert asyncio.run(run()) == 130
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == len(set(stage.provider.bill)) == len(stage.images())


class _Busy(ScriptedExecutor):
    """Never answers a download."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    def submit(self, task: Task[Any]) -> Future[Any]:
        if task.name != "download":
            return super().submit(task)
        self.asked.set()
        return Future()
