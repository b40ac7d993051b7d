"""Real processes, real SIGKILL, a real bill: the short form of `make reliability`."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from benchmarks.reliability.kills import KillPlan, rounds
from benchmarks.reliability.points import Plug, pull
from benchmarks.reliability.rehearsal import Shop, Work, emulated


@pytest.mark.parametrize(("api", "faults"), [("v2", True), ("v1", False)])
def test_random_kills_never_pay_twice_and_lose_nothing(
    api: str, faults: bool, tmp_path: Path
) -> None:
    toll = rounds(tmp_path, KillPlan(Work(api, cells=24), seed=5, kills=6, faults=faults))
    assert not toll.problems
    assert (toll.twice, toll.lost, toll.unknown_left) == (0, 0, 0)
    assert toll.kills


@pytest.mark.parametrize(
    ("backend", "model"), [("fal", "bria/fibo-edit/relight"), ("replicate", "zsxkib/ic-light")]
)
def test_neither_do_kills_of_a_run_that_buys_elsewhere(
    backend: str, model: str, tmp_path: Path
) -> None:
    work = Work(cells=12, backend=backend, model=model)
    toll = rounds(tmp_path, KillPlan(work, seed=7, kills=5, faults=True))
    assert not toll.problems
    assert (toll.billed, toll.twice, toll.lost, toll.unknown_left) == (12, 0, 0, 0)


@pytest.mark.parametrize(
    "point", ["after-intent:2", "after-submit:2", "after-accepted:1", "after-stored:1"]
)
def test_a_killed_run_s_calls_to_comfyui_are_made_once_and_collected(
    point: str, tmp_path: Path
) -> None:
    work = Work(cells=4, concurrency=2, backend="comfyui", model="ic-light")
    with emulated(tmp_path, "--protocol", "comfyui", "--latency", "0.2") as server:
        shop = Shop(tmp_path, server.url, work)
        assert shop.run(env={"RELIGHTFLOW_CRASH_AT": point}).exit == -signal.SIGKILL
        ended = shop.run()
        assert ended.exit == 0, ended.said
        assert len(shop.delivered()) == len(server.bill()) == 4


@pytest.mark.parametrize(
    "plug",
    [
        Plug("v2", "after-intent:2"),
        Plug("v2", "after-submit:1"),
        Plug("v2", "after-accepted:2", "recovery-collected:1"),
        Plug("v1", "after-paid:1"),
        Plug("v1", "blob-renamed:1"),
        Plug("v1", "before-commit:2"),
    ],
    ids=str,
)
def test_the_plug_is_pulled_at_a_named_place(plug: Plug, tmp_path: Path) -> None:
    assert pull(tmp_path, plug) == []
