from __future__ import annotations

import math
import threading
from dataclasses import replace

import pytest

from relightflow.executors.envelope import done, opened, packed
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.values import FrozenMap
from relightflow.plugins.executor import ExecutorUnavailable, Task, TaskRefused

SECRET = "https://provider/result?signature=secret"


def test_what_a_scheduler_can_print_shows_no_argument() -> None:
    envelope = packed(Task("download", len, (SECRET,)))
    assert SECRET not in repr(envelope)
    assert "download" in repr(envelope)
    assert SECRET not in repr(Task("download", len, (SECRET,)))


def test_what_a_task_raises_is_an_answer() -> None:
    """Schedulers log the arguments of a task that raises, and give it to other workers."""
    answer = done(packed(Task("root", math.sqrt, (-1.0,))))
    with pytest.raises(ValueError, match="math domain error"):
        opened(answer)


def test_an_exception_that_cannot_travel_arrives_in_words() -> None:
    with pytest.raises(TaskRefused, match=r"a worker failed \(_Stubborn: it holds a lock\)"):
        opened(done(packed(Task("stubborn", _stubborn))))


def test_a_task_that_cannot_travel_is_not_done() -> None:
    with pytest.raises(ExecutorUnavailable, match="the task 'lock' cannot be sent"):
        packed(Task("lock", len, (threading.Lock(),)))


def test_a_worker_with_other_versions_does_nothing() -> None:
    """Another Pillow writes other bytes, and another relightflow may not know the task."""
    envelope = packed(Task("size", len, ("a",)))
    old = replace(envelope, versions=("relightflow 0.0.1", *envelope.versions[1:]))
    with pytest.raises(
        TaskRefused, match=r"a worker on .* has relightflow .*, not relightflow 0\.0\.1"
    ):
        opened(done(old))


def test_a_mapping_is_the_same_key_on_the_other_side() -> None:
    """The hash of a text differs between processes, so it must not travel."""
    given = FrozenMap({"a": 1})
    hash(given)
    assert b"_hash" not in packed(Task("same", _itself, (given,))).content
    assert {opened(done(packed(Task("same", _itself, (given,))))): 1}[given] == 1


def test_a_failure_travels_whole() -> None:
    failure = Failure(FailureKind.BAD_IMAGE, "no", kept=b"x")
    with pytest.raises(CallFailed) as raised:
        opened(done(packed(Task("fail", _fail, (failure,)))))
    assert raised.value.failure == failure


class _Stubborn(Exception):
    def __init__(self) -> None:
        super().__init__("it holds a lock")
        self.lock = threading.Lock()


def _stubborn() -> None:
    raise _Stubborn


def _itself(value: object) -> object:
    return value


def _fail(failure: Failure) -> None:
    raise CallFailed(failure)
