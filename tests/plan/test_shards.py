"""Shards divide a plan by job keys: every job is in exactly one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relightflow.errors import UsageError
from relightflow.model.plan import Plan, Selection, Shard
from relightflow.model.recipe import BackendLimits, Rate
from relightflow.plan.build import build
from relightflow.plan.outputs import jobs, outputs
from relightflow.plan.shards import jobs_digest, shard_of
from tests.conftest import Stage


def parts(plan: Plan, count: int) -> list[Plan]:
    return [shard_of(plan, Shard(number, count)) for number in range(1, count + 1)]


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_every_job_is_in_exactly_one_shard(stage: Stage, count: int) -> None:
    stage.image("b.png")
    stage.recipe([0, 1, 2, 3], repeat=2)
    whole = stage.plan()
    found = parts(whole, count)
    keys = [job.key for part in found for job in jobs(part)]
    assert sorted(keys) == sorted(job.key for job in jobs(whole))
    assert sum(part.jobs_count for part in found) == whole.jobs_count == len(keys)
    assert sum(part.outputs_count for part in found) == whole.outputs_count


def test_equal_jobs_are_in_one_shard(stage: Stage) -> None:
    stage.image("copy.png", seed="a.png")
    stage.recipe([0, 1, 2])
    for part in parts(stage.plan(), 2):
        names: dict[str, set[str]] = {}
        for output in outputs(part):
            names.setdefault(output.job.key, set()).add(output.image.name)
        assert all(len(both) == 2 for both in names.values())
        assert part.outputs_count == 2 * part.jobs_count


def test_a_new_value_moves_no_job_to_another_shard(stage: Stage) -> None:
    stage.recipe([0, 1, 2])
    before = [{job.key for job in jobs(part)} for part in parts(stage.plan(), 3)]
    stage.recipe([7, 2, 1, 0])
    after = [{job.key for job in jobs(part)} for part in parts(stage.plan(), 3)]
    assert all(old <= new for old, new in zip(before, after, strict=True))


def test_a_limit_selects_before_the_plan_is_divided(stage: Stage) -> None:
    stage.recipe([0, 1, 2, 3, 4])
    whole = stage.plan(Selection(limit=3))
    found = parts(whole, 2)
    keys = {job.key for part in found for job in jobs(part)}
    assert keys == {job.key for job in jobs(whole)}
    assert sum(part.outputs_count for part in found) == 3


def test_a_selection_of_picks_is_divided_too(stage: Stage) -> None:
    stage.recipe([0, 1, 2, 3])
    whole = shard_of(stage.plan(), Shard(1, 1))  # picked, and all of it
    keys = {job.key for part in parts(whole, 3) for job in jobs(part)}
    assert keys == {job.key for job in jobs(whole)}
    assert len(keys) == 4


def test_the_rate_is_divided_and_rounded_down(stage: Stage) -> None:
    plan = stage.plan()
    limits = replace(plan.recipe.limits, rate=Rate(50, 60.0))
    plan = replace(plan, recipe=replace(plan.recipe, limits=limits))
    assert shard_of(plan, Shard(1, 3)).recipe.limits.rate == Rate(16, 60.0)
    with pytest.raises(UsageError, match="50 shards or fewer"):
        shard_of(plan, Shard(1, 51))


def test_the_digest_is_that_of_the_whole_work(stage: Stage) -> None:
    stage.recipe([0, 1, 2])
    whole = stage.plan()
    digests = {jobs_digest(part) for part in (whole, *parts(whole, 3))}
    stage.recipe([2, 1, 0], max_cost=3)
    assert {jobs_digest(stage.plan())} == digests
    stage.recipe([0, 1])
    assert jobs_digest(stage.plan()) not in digests


def test_a_backend_s_own_rate_is_divided_too(make: Any) -> None:
    recipe = make.several({"a": [str(n) for n in range(40)]})
    (other,) = recipe.more_backends
    limits = BackendLimits(rate=Rate(10, 60.0), max_cost=1_000_000)
    recipe = replace(recipe, more_backends=(replace(other, limits=limits, place=1),))
    found = parts(build(recipe, [make.image("1.png")]), 3)
    own = [part.recipe.more_backends[0].limits for part in found]
    assert [one.rate for one in own] == [Rate(3, 60.0)] * 3
    assert {one.max_cost for one in own} == {
        1_000_000
    }  # divided by what is to be bought, by the run
    with pytest.raises(UsageError, match=r"backend\[1\]\.limits\.rate allows 10 calls"):
        parts(build(recipe, [make.image("1.png")]), 11)
