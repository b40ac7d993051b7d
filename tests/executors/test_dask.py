"""A real cluster of processes: it keeps an executor's promises, and when it falls apart nothing is lost.

`python -m benchmarks cluster` does the same with 600 jobs for each thing that can happen to it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from dask import config

from benchmarks import cluster
from benchmarks.cluster import Cluster
from relightflow.errors import EarlyStop, UsageError
from relightflow.executors import dask
from relightflow.executors.dask import Dask, Patience
from relightflow.plugins.executor import ExecutorUnavailable, Task
from relightflow.plugins.records import ExecutorContext
from relightflow.testing import check_executor
from tests.servers.cable import Cable

_SECONDS = 60.0


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    with cluster.cluster(1) as found:
        yield found


def test_it_keeps_the_promises_of_an_executor(running: Cluster) -> None:
    check_executor(lambda: Dask(ExecutorContext(running.address)))


def test_what_was_sent_is_not_kept(running: Cluster) -> None:
    """A client keeps its last thousand batches of messages, which are tasks: up to a gigabyte of them."""
    executor = Dask(ExecutorContext(running.address))
    assert executor.submit(Task("sum", sum, ((1, 2),))).result(_SECONDS) == 3
    assert not executor._client.scheduler_comm.recent_message_log
    executor.close()


def test_a_task_that_nobody_ends_is_given_back(running: Cluster) -> None:
    executor = Dask(ExecutorContext(running.address), Patience(deadline=0.05))
    slow = executor.submit(Task("sleep", time.sleep, (1,)))
    with pytest.raises(ExecutorUnavailable, match=r"no answer within 0\.05 s"):
        slow.result(_SECONDS)
    executor.close()


def test_without_workers_tasks_are_given_back(running: Cluster) -> None:
    executor = Dask(ExecutorContext(running.address), Patience(no_worker=0.05, look=0.05))
    running.tell("scale", 0)
    with pytest.raises(ExecutorUnavailable, match="no worker is there"):
        executor.submit(Task("process", os.getpid)).result(_SECONDS)
    executor.close()


def test_a_scheduler_that_is_killed_and_started_again_is_used_again() -> None:
    """In between, tasks are given back at once; the new scheduler knows nothing of the old one's."""
    with cluster.cluster(1) as first:
        executor = Dask(ExecutorContext(first.address), Patience(look=0.05, again=0.1))
        slow = executor.submit(Task("sleep", time.sleep, (60,)))
        assert executor.submit(Task("process", os.getpid)).result(_SECONDS)
        with cluster.restarted(first, workers=1):
            with pytest.raises(ExecutorUnavailable, match="the scheduler does not answer"):
                slow.result(_SECONDS)
            assert _asked_again(executor) != os.getpid()
        executor.close()


def test_a_connection_that_is_cut_is_made_again(running: Cluster) -> None:
    running.tell("scale", 1)
    with Cable(running.address) as cable:
        executor = Dask(ExecutorContext(cable.address), Patience(look=0.05, again=0.1))
        slow = executor.submit(Task("sleep", time.sleep, (5,)))
        assert executor.submit(Task("process", os.getpid)).result(_SECONDS)
        cable.cut()
        with pytest.raises(ExecutorUnavailable, match="the scheduler does not answer"):
            slow.result(_SECONDS)
        cable.mend()
        assert _asked_again(executor) != os.getpid()
        executor.close()


def _asked_again(executor: Dask) -> int:
    """The process of a worker, once there is one."""
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        with suppress(ExecutorUnavailable):
            return executor.submit(Task("process", os.getpid)).result(_SECONDS)
    raise AssertionError("it did not reconnect")


def test_nobody_there_is_an_outage_and_no_address_is_a_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dask, "_CONNECT_SECONDS", 0.2)
    with pytest.raises(
        EarlyStop, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1 .*nothing was"
    ):
        Dask(ExecutorContext("tcp://127.0.0.1:1"))
    with pytest.raises(UsageError, match="--scheduler ftp://here: "):
        Dask(ExecutorContext("ftp://here"))
    with pytest.raises(
        UsageError, match=r"tls://127\.0\.0\.1:1: .*distributed\.comm\.tls name the"
    ):
        Dask(ExecutorContext("tls://127.0.0.1:1"))
    missing = config.set({"distributed.comm.tls.ca-file": "/not-there.pem"})
    with missing, pytest.raises(UsageError, match=r"tls://127\.0\.0\.1:1: .*nothing was sent"):
        Dask(ExecutorContext("tls://127.0.0.1:1"))


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'relightflow\[dask\]'; nothing was sent"):
        Dask(ExecutorContext("tcp://127.0.0.1:1"))


def test_a_cluster_that_falls_apart_costs_nothing(running: Cluster) -> None:
    """Workers come late, one is killed, another one retires, and then the scheduler goes, all of it while
    100 jobs are bought."""

    def fall_apart(found: Cluster) -> None:
        found.kill_worker()
        found.tell("retire")
        found.kill_scheduler()

    running.tell("scale", 2)
    ended = cluster.bought_on(running, fall_apart, jobs=100)
    assert (ended.exit, ended.billed, ended.distinct, ended.delivered) == (0, 100, 100, 100), ended
