from __future__ import annotations

import math
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import UsageError
from relightflow.executors.shared_blobs import SharedBlobs
from relightflow.executors.workers import Workers, open_asking, open_workers
from relightflow.model.run_options import RunOptions
from relightflow.plugins.executor import ExecutorUnavailable, Task, TaskRefused
from relightflow.plugins.registry import load
from tests.conftest import Stage
from tests.scripted_executor import ScriptedExecutor, installed

BLOBS = SharedBlobs(Path("/blobs"), "marker")


def _refuse() -> None:
    raise TaskRefused("no folder")


def _do() -> None:
    """What a worker can."""


def _workers(*notices: list[str], executor: ScriptedExecutor | None = None) -> Workers:
    notice = notices[0].append if notices else (lambda _: None)
    return Workers(executor or ScriptedExecutor(), BLOBS, notice)


def test_without_an_executor_there_are_no_workers() -> None:
    workers = Workers()
    assert workers.shared("download") is None
    assert workers.submit(Task("sum", sum, ((1, 2),))).result() == 3
    workers.close()


def test_five_refusals_in_a_row_are_enough_for_their_kind_of_task() -> None:
    workers = _workers()
    for _ in range(5):
        assert workers.shared("deliver") is BLOBS
        workers.submit(Task("deliver", _refuse))
    assert workers.shared("deliver") is None
    assert workers.shared("download") is BLOBS
    workers.close()


def test_one_that_is_done_in_between_begins_the_count_again() -> None:
    workers = _workers()
    for turn in range(20):
        workers.submit(Task("deliver", _refuse if turn % 5 else _do))
    assert workers.shared("deliver") is BLOBS
    workers.close()


def test_a_cluster_without_workers_may_get_some_later() -> None:
    def none(_: Task[Any], __: int) -> None:
        raise ExecutorUnavailable("no worker is there")

    workers = _workers(executor=ScriptedExecutor(none))
    for _ in range(20):
        workers.submit(Task("deliver", _do))
    assert workers.shared("deliver") is BLOBS
    workers.close()


def test_a_reason_is_told_once_and_what_is_gone_is_gone() -> None:
    told: list[str] = []
    workers = _workers(told)
    for _ in range(3):
        workers.unavailable(ExecutorUnavailable("no worker is there"))
    workers.unavailable(ExecutorUnavailable("the scheduler is gone", gone=True))
    workers.unavailable(TaskRefused("found out later"))
    assert [words.split(";")[0] for words in told] == [
        "executor: no worker is there",
        "executor: the scheduler is gone",
    ]
    assert workers.shared("deliver") is None
    workers.close()


def test_a_wait_that_is_given_up_counts_for_nothing() -> None:
    class Slow(ScriptedExecutor):
        def submit(self, task: Task[Any]) -> Future[Any]:
            return Future()

    workers = _workers(executor=Slow())
    assert workers.submit(Task("deliver", _do)).cancel()
    assert workers.shared("deliver") is BLOBS
    workers.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (RunOptions(executor="dask"), "--executor dask needs --scheduler ADDRESS"),
        (
            RunOptions(scheduler="tcp://a:1"),
            "--executor local uses no --scheduler; --executor dask does",
        ),
        (RunOptions(executor="dusk"), r"unknown executor 'dusk'.*did you mean 'dask'"),
    ],
)
def test_an_executor_and_its_address_belong_together(
    tmp_path: Path, options: RunOptions, words: str
) -> None:
    opened = open_workers(load(found=lambda: ()), options, tmp_path, print)
    with pytest.raises(UsageError, match=words), opened:
        pytest.fail("it was opened")
    assert not list(tmp_path.iterdir())


def test_who_asks_gets_an_answer_or_does_it_himself() -> None:
    told: list[str] = []
    workers = _workers(told)
    assert workers.ask(Task("sum", sum, ((1, 2),))) == 3
    for _ in range(9):
        assert workers.ask(Task("examine", _refuse)) is None
    assert len(told) == 1
    assert workers.ask(Task("sum", sum, ((1, 2),))) == 3, "what they can do they go on doing"
    with pytest.raises(ValueError, match="math domain error"):
        workers.ask(Task("root", math.sqrt, (-1.0,)))
    assert Workers().ask(Task("sum", sum, ((1, 2),))) is None, "threads of this process are no help"
    workers.close()


def test_a_plan_asks_the_executor_that_was_chosen(stage: Stage) -> None:
    executor = ScriptedExecutor()
    options = RunOptions(**installed(stage, executor))
    with open_asking(stage.registry, options, stage.notices.append) as ask:
        assert ask
        assert ask(Task("sum", sum, ((1, 2),))) == 3
    assert (executor.names, executor.closed) == (["sum"], 1)
    with open_asking(stage.registry, RunOptions(), stage.notices.append) as ask:
        assert ask is None
