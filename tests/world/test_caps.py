"""Issue 9, section 6: caps that mean what they say, on the provider's own bill."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.world.behaviour import HTML_502, Fault
from tests.world.harness import World

EIGHT = {"light_direction": "all", "light_temperature": ["warm", "cool"]}
DAY = 24 * 3600


def money(cents: float) -> float:
    return cents / 100 + 1e-9


def test_a_cap_holds_over_many_runs(world: World) -> None:
    world.recipe(images=1, matrix=EIGHT, concurrency=4, max_cost=0.20)
    for _ in range(3):
        assert world.run().code == 7, world.story()
    assert world.provider.charged <= money(20), world.story()
    assert len(world.provider.bill) == 4, world.story()


def test_the_message_says_what_was_spent_and_what_to_raise(world: World) -> None:
    world.recipe(images=1, matrix=EIGHT, concurrency=4, max_cost=0.20)
    world.run()
    said = world.run()
    assert "0.20" in said.text, world.story()
    assert "max_cost" in said.text, world.story()


def test_raising_the_cap_goes_on(world: World) -> None:
    world.recipe(images=1, matrix=EIGHT, concurrency=4, max_cost=0.20)
    world.run()
    world.recipe(images=1, matrix=EIGHT, concurrency=4, max_cost=0.40)
    assert world.run().code == 0, world.story()
    world.assert_complete(8)


@pytest.mark.parametrize("way", ["option", "environment"])
def test_the_lowest_cap_holds_over_many_runs(world: World, way: str) -> None:
    world.recipe(images=1, matrix=EIGHT, concurrency=4)
    options = ("--max-cost", "0.15") if way == "option" else ()
    env = {"RELIGHTFLOW_MAX_COST": "0.15"} if way == "environment" else {}
    for _ in range(2):
        assert world.run(*options, env=env).code == 7, world.story()
    assert world.provider.charged <= money(15), world.story()


@pytest.mark.parametrize("protocol", ["v2", "v1"])
def test_calls_that_cost_more_than_announced_stay_below_the_cap(
    world: World, protocol: str
) -> None:
    world.provider.behaviour.protocol = protocol
    world.provider.behaviour.charge = 0.075
    world.recipe(images=1, matrix=EIGHT, concurrency=8, max_cost=0.40)
    for _ in range(2):
        world.run()
    assert world.provider.charged <= money(40), world.story()
    world.assert_paid_once()


@pytest.mark.parametrize(
    ("protocol", "told"),
    [*(("v2", told) for told in (0, 1e-9, -1000, None, "NaN")), ("v1", 1e-9), ("v1", None)],
)
def test_a_cost_below_the_price_list_counts_as_the_price(
    world: World, protocol: str, told: float | str | None
) -> None:
    world.provider.behaviour.protocol = protocol
    world.provider.behaviour.reported = told
    world.recipe(images=1, matrix=EIGHT, concurrency=2, max_cost=0.10)
    for _ in range(2):
        assert world.run().code == 7, world.story()
    assert world.provider.charged <= money(10), world.story()


def test_doubts_count_against_the_cap(world: World) -> None:
    world.recipe(images=1, matrix=EIGHT, max_cost=0.15)
    world.provider.behaviour.records.lag = 1e9
    world.provider.behaviour.fates |= {1: "billed", 2: "billed"}
    for _ in range(2):
        world.run()
    assert world.provider.charged <= money(15), world.story()


@pytest.mark.parametrize("concurrency", [1, 8])
def test_doubts_that_turn_out_dearer_stay_below_the_cap(world: World, concurrency: int) -> None:
    """No answer ever says what a call costs."""
    world.recipe(images=2, matrix=EIGHT, concurrency=concurrency, max_cost=0.40)
    world.provider.behaviour.charge = 0.075
    world.provider.behaviour.records.lag = 1e9
    world.provider.behaviour.fates |= dict.fromkeys(range(1, 17), "billed")
    for _ in range(3):
        world.run()
    assert world.provider.charged <= money(40 + 5), world.story()


@pytest.mark.parametrize("value", ["", " ", "nan", "-1"], ids=["empty", "space", "nan", "negative"])
def test_an_empty_or_odd_cap_in_the_environment_is_an_error(world: World, value: str) -> None:
    world.recipe(max_cost=None)
    said = world.run(env={"RELIGHTFLOW_MAX_COST": value})
    assert said.code == 2, world.story()
    assert "RELIGHTFLOW_MAX_COST" in said.text, world.story()
    assert not world.provider.bill


@pytest.mark.parametrize("name", ["RELIGHTFLOW_BUDGET", "RELIGHTFLOW_STATE", "RELIGHTFLOW_STORE"])
def test_an_empty_variable_is_an_error(world: World, name: str) -> None:
    world.recipe()
    said = world.run(env={name: ""})
    assert said.code == 2, world.story()
    assert name in said.text, world.story()
    assert not world.provider.bill


def test_no_cap_at_all_is_refused(world: World) -> None:
    world.recipe(max_cost=None)
    assert world.run().code in (2, 7), world.story()
    assert not world.provider.bill


def test_a_lock_file_that_was_deleted_lets_nobody_spend_twice(world: World) -> None:
    """A second run starts in the middle of the first, which has lost its lock file."""
    world.recipe(max_cost=0.20)
    second: list[int] = []

    def intrude() -> None:
        (world.state / "lock").unlink()
        second.append(world.start("run", "recipe.yaml", "--yes").wait().code)

    world.provider.hooks["intrude"] = intrude
    world.provider.behaviour.fates[2] = "intrude"
    world.run()
    assert second
    world.settle(runs=2)
    world.assert_paid_once()
    assert world.provider.charged <= money(20), world.story()


@pytest.mark.parametrize("way", ["recipe", "option", "environment"])
def test_a_budget_holds_over_everything_in_the_state(world: World, way: str) -> None:
    limits: dict[str, Any] = {"budget": "0.10/7d"} if way == "recipe" else {}
    options = ("--budget", "0.10/7d") if way == "option" else ()
    env = {"RELIGHTFLOW_BUDGET": "0.10/7d"} if way == "environment" else {}
    for name in ("one.yaml", "two.yaml"):
        light = {"light_direction": ["left", "right"], "light_type": "ambient"}
        matrix = light if name == "one.yaml" else {**light, "light_type": "softbox"}
        sinks = [{"type": "directory", "path": f"out/{name}/"}]
        world.recipe(1, name=name, matrix=matrix, sinks=sinks, max_cost=None, **limits)
    assert world.run(*options, recipe="one.yaml", env=env).code == 0, world.story()
    assert world.run(*options, recipe="two.yaml", env=env).code == 7, world.story()
    assert len(world.provider.bill) == 2, world.story()
    world.wait(8 * DAY)
    assert world.run(*options, recipe="two.yaml", env=env).code == 0, world.story()
    world.assert_complete(4)


@pytest.mark.parametrize(
    ("then", "now"), [(0, 8 * DAY), (-8 * DAY, 0), (0, -400 * DAY), (400 * DAY, 0)]
)
def test_a_wrong_clock_neither_frees_nor_holds_a_budget(world: World, then: int, now: int) -> None:
    """The local clock is `then` seconds off in the first run and `now` in the second; then eight days
    pass at the provider."""
    world.recipe(images=1, matrix=EIGHT, concurrency=2, max_cost=None, budget="0.10/7d")
    world.local_offset = then
    assert world.run().code == 7, world.story()
    world.local_offset = now
    assert world.run().code == 7, world.story()
    assert len(world.provider.bill) == 2, world.story()
    world.provider.behaviour.offset += 8 * DAY
    assert world.run().code == 7, world.story()
    assert len(world.provider.bill) == 4, world.story()


def test_the_clock_of_a_proxy_frees_no_budget(world: World) -> None:
    world.recipe(images=1, matrix=EIGHT, concurrency=2, max_cost=None, budget="0.10/7d")
    assert world.run().code == 7, world.story()
    page = replace(HTML_502, headers={"Date": "Fri, 01 Jan 2038 00:00:00 GMT"})
    world.provider.behaviour.credits_fault = Fault(page)
    world.run()
    assert len(world.provider.bill) == 2, world.story()


def test_status_shows_the_spending(world: World) -> None:
    world.recipe()
    world.run()
    said = world.command("status", "recipe.yaml", "--spend")
    assert said.code == 0, world.story()
    assert "0.20" in said.text, world.story()
    assert "segmind-relighting" in said.text, world.story()
    told = world.command("status", "recipe.yaml", "--spend", "--json")
    assert "segmind-relighting" in json.dumps(json.loads(told.out)), world.story()
