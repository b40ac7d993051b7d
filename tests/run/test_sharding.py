"""A shard's state is its own, and the shares of all shards together never pass a limit."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from relightflow import api
from relightflow.errors import Exit, RefusedError
from relightflow.model.plan import Shard
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import Share, SpendLimit
from relightflow.plan.outputs import jobs
from relightflow.plugins.registry import Loaded
from relightflow.run.sharding import NAME, read_record, with_shares
from relightflow.store.state_dir import StateDir
from tests.conftest import Stage
from tests.scripted_backend import PRICE, Provider, record
from tests.shards import plan_of, run_shard, state_of

WINDOW = 7 * 86400.0


def test_each_shard_buys_its_own_jobs_and_delivers_nothing(stage: Stage) -> None:
    stage.recipe(list(range(12)))
    whole = {job.key for job in jobs(stage.plan())}
    for number in (1, 2, 3):
        found = run_shard(stage, number, 3)
        assert found.exit is Exit.OK
        assert found.shard == f"{number}/3"
        assert all(Shard(number, 3).has(key) for key in stage.provider.bill[-found.counts.made :])
    assert Counter(stage.provider.bill) == Counter(whole)
    assert not stage.out.exists()


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_a_cap_of_exactly_the_plans_price_buys_the_whole_plan(stage: Stage, count: int) -> None:
    stage.recipe(list(range(12)))
    for number in range(1, count + 1):
        assert run_shard(stage, number, count, cap=12 * PRICE).exit is Exit.OK
    assert len(stage.provider.bill) == 12


@pytest.mark.parametrize("left", range(12))
def test_the_shares_of_a_cap_never_pass_it(stage: Stage, left: int) -> None:
    stage.recipe(list(range(12)))
    codes = {run_shard(stage, n, 3, cap=left * PRICE + PRICE - 1).exit for n in (1, 2, 3)}
    assert len(stage.provider.bill) <= left
    assert Exit.BUDGET in codes


def test_shares_are_of_what_is_left_when_the_shards_begin(stage: Stage) -> None:
    """Half is bought before, by a run without shards, whose state each shard begins with."""
    stage.recipe([0, 1, 2, 3, 4, 5])
    stage.run(cap=12 * PRICE)
    stage.recipe(list(range(12)))
    for number in (1, 2, 3):
        copied(stage, number)
        assert run_shard(stage, number, 3, cap=12 * PRICE).exit is Exit.OK
    assert len(stage.provider.bill) == len(set(stage.provider.bill)) == 12


DEAR = {"type": "dear", "limits": {"max_cost": 8 * PRICE / 1e6}}


def mixed(stage: Stage, shades: list[int]) -> Provider:
    """The recipe is bought of the studio, and of a second backend that has a cap of its own."""
    other = Provider()
    made = Loaded(replace(record(other), name="dear"), "test")
    stage.registry = replace(stage.registry, backends={**stage.registry.backends, "dear": made})
    entries(stage, shades, [{"type": "studio"}, DEAR])
    return other


def entries(stage: Stage, shades: list[int], backends: list[dict[str, Any]]) -> None:
    name = "{image.stem}-{backend}-{shade}.{ext}"
    stage.recipe(shades, sinks=[{"type": "directory", "path": "out/", "name": name}])
    lines = stage.path.read_text().splitlines()
    old = next(line for line in lines if line.startswith("backend:"))
    stage.path.write_text(stage.path.read_text().replace(old, f"backend: {json.dumps(backends)}"))


def test_shares_of_a_backend_s_own_cap_are_of_what_is_left_too(stage: Stage) -> None:
    """Four are bought of it before; the four that its cap still allows are bought by the shards, and running them
    again buys no more."""
    other = mixed(stage, [0, 1, 2, 3])
    stage.run()
    assert len(other.bill) == 4
    entries(stage, list(range(16)), [{"type": "studio"}, DEAR])
    for number in (1, 2):
        copied(stage, number)
    for _ in range(2):
        codes = [run_shard(stage, number, 2).exit for number in (1, 2)]
        assert Exit.BUDGET in codes
        assert 7 <= len(other.bill) <= 8, "each shard's part is rounded down"
    assert len(stage.provider.bill) == 16


def test_the_order_of_the_backends_changes_no_share(stage: Stage) -> None:
    other = mixed(stage, list(range(12)))
    run_shard(stage, 1, 2)
    bought = len(other.bill)
    entries(stage, list(range(12)), [DEAR, {"type": "studio"}])
    assert run_shard(stage, 1, 2).exit is Exit.BUDGET
    assert len(other.bill) == bought


def test_a_shard_that_an_earlier_version_began_divides_by_all_its_jobs(stage: Stage) -> None:
    mixed(stage, list(range(12)))
    state_dir = state_of(stage, 1)
    run_shard(stage, 1, 2)
    path = state_dir.root / NAME
    found = json.loads(path.read_text())
    for plan in found["plans"].values():
        del plan["models"]
    path.write_text(json.dumps(found))
    plan = plan_of(stage, state_dir, Shard(1, 2))
    shares = with_shares(plan, RunOptions(), state_dir).shares
    assert {(one.jobs, one.whole) for one in shares} == {(plan.jobs_count, 24)}


def copied(stage: Stage, number: int) -> StateDir:
    import shutil

    state_dir = state_of(stage, number)
    shutil.copytree(stage.state_dir.root, state_dir.root)
    return state_dir


def test_a_shard_that_is_run_again_has_the_share_that_it_had(stage: Stage) -> None:
    """Its own purchases are not taken for what was spent before it began."""
    stage.recipe(list(range(12)))
    first = plan_of(stage, state_of(stage, 1), Shard(1, 2)).jobs_count
    cap = 6 * PRICE
    run_shard(stage, 1, 2, cap=cap)
    bought = len(stage.provider.bill)
    assert 0 < bought <= cap // PRICE * first // 12
    for _ in range(3):
        assert run_shard(stage, 1, 2, cap=cap).exit is Exit.BUDGET
    assert len(stage.provider.bill) == bought
    run_shard(stage, 2, 2, cap=cap)
    assert len(stage.provider.bill) <= 6


def test_a_budget_is_divided_evenly(stage: Stage) -> None:
    stage.recipe(list(range(12)))
    limits = (SpendLimit(7 * PRICE, "--budget", WINDOW),)
    for number in (1, 2, 3):
        run_shard(stage, number, 3, limits=limits)
    assert len(stage.provider.bill) == 6  # two each; the seventh cannot be divided


def test_shares_are_rounded_down() -> None:
    limit = SpendLimit(100, "limits.max_cost")
    shares = [Share(0, jobs, 7, 3, "").of(100, limit) for jobs in (2, 2, 3)]
    assert shares == [28, 28, 42]
    assert Share(0, 0, 0, 3, "").of(100, limit) == 0
    both = replace(limit, together=(("a", ""), ("b", "")))
    assert Share(0, 7, 7, 3, "").of(100, both) == 33


def test_the_estimate_counts_the_share(stage: Stage) -> None:
    stage.recipe(list(range(12)))
    state_dir = state_of(stage, 1)
    plan = plan_of(stage, state_dir, Shard(1, 3))
    options = RunOptions(limits=(SpendLimit(12 * PRICE, "--max-cost"),))
    seen = api.estimate_cost(plan, api.plan_status(plan, state_dir), options, state_dir)
    assert seen.limits[0].limit.amount == plan.jobs_count * PRICE
    assert seen.limits[0].limit.source == "the share of shard 1/3 in --max-cost"
    assert not (state_dir.root / NAME).exists()  # reads only


def test_a_state_belongs_to_one_shard(stage: Stage) -> None:
    stage.recipe(list(range(4)))
    run_shard(stage, 1, 2)
    with pytest.raises(RefusedError, match="shard 1/2, and each shard needs a state of its own"):
        run_shard(stage, 2, 2, state_of(stage, 1))
    with pytest.raises(RefusedError, match="each shard needs a state of its own"):
        run_shard(stage, 1, 3, state_of(stage, 1))


def test_a_run_without_shard_is_refused_in_a_shards_state(stage: Stage) -> None:
    """It would buy what the other shards buy."""
    stage.recipe(list(range(4)))
    run_shard(stage, 1, 2, stage.state_dir)
    bought = len(stage.provider.bill)
    with pytest.raises(RefusedError, match="belongs to shard 1/2"):
        stage.run()
    assert len(stage.provider.bill) == bought


def test_another_plan_of_the_recipe_is_refused(stage: Stage) -> None:
    """What is left of a cap would be divided twice."""
    stage.recipe(list(range(4)))
    run_shard(stage, 1, 2)
    bought = len(stage.provider.bill)
    stage.recipe(list(range(5)))
    with pytest.raises(RefusedError, match="another plan of 'demo'"):
        run_shard(stage, 1, 2)
    assert len(stage.provider.bill) == bought


def test_another_recipe_may_use_the_shards_state(stage: Stage) -> None:
    stage.recipe(list(range(4)))
    run_shard(stage, 1, 2)
    stage.recipe(list(range(6)))
    stage.path.write_text(stage.path.read_text().replace("name: demo", "name: other"))
    assert run_shard(stage, 1, 2).exit is Exit.OK
    record = read_record(state_of(stage, 1))
    assert record
    assert {one.recipe for one in record.plans.values()} == {"demo", "other"}


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "\0",
        '{"format":2}',
        "[" * 100_000,
        '{"format":1,"shard":3,"of":2,"after":0,"runs":0,"plans":{}}',
        '{"format":1,"shard":1,"of":2,"after":-1,"runs":0,"plans":{}}',
        '{"format":1,"shard":1,"of":2,"after":0,"runs":0,"plans":{"x":{"recipe":"r"}}}',
    ],
)
def test_a_strange_record_is_refused(stage: Stage, text: str) -> None:
    stage.state_dir.create()
    (stage.state_dir.root / NAME).write_text(text)
    with pytest.raises(RefusedError, match=r"shard\.json was not written by"):
        stage.run()
    assert not stage.provider.bill


def test_a_link_in_place_of_the_record_is_refused(stage: Stage) -> None:
    stage.state_dir.create()
    (stage.state_dir.root / NAME).symlink_to("nowhere")
    with pytest.raises(RefusedError):
        stage.run()


def test_the_record_says_what_the_shard_is(stage: Stage) -> None:
    stage.recipe(list(range(4)))
    run_shard(stage, 1, 2)
    document = json.loads((state_of(stage, 1).root / NAME).read_text())
    assert document["shard"] == 1
    assert document["of"] == 2
    assert (document["after"], document["runs"]) == (0, 0)


def test_options_of_a_whole_plan_stay_as_they_are(stage: Stage) -> None:
    options = RunOptions(limits=(SpendLimit(5, "--max-cost"),))
    assert with_shares(stage.plan(), options, stage.state_dir) is options
