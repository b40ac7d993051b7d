"""Issue 9, section 8: doubts are told well, and settle without a person."""

from __future__ import annotations

import pytest

from tests.world.harness import KILLED, World


@pytest.fixture
def doubtful(world: World) -> World:
    """A call was billed, its answer lost, and it is not in the records yet."""
    world.recipe()
    world.settling = ""
    world.provider.behaviour.fates[2] = "billed"
    world.provider.behaviour.records.lag = 300
    assert world.run().code == 5, world.story()
    return world


def test_the_run_says_how_to_wait(doubtful: World) -> None:
    assert "--wait" in doubtful.said[-1].text, doubtful.story()


def test_the_plan_says_how_to_wait(doubtful: World) -> None:
    said = doubtful.command("plan", "recipe.yaml")
    assert "--wait" in said.text, doubtful.story()
    assert "0.05" in said.text, doubtful.story()


def test_resolve_does_not_ask_for_what_evidence_will_decide(doubtful: World) -> None:
    said = doubtful.command("resolve", "recipe.yaml")
    assert "--wait" in said.text, doubtful.story()
    assert "0.05" in said.text, doubtful.story()


@pytest.mark.parametrize(
    ("protocol", "moment"), [("v2", "kill lost"), ("v2", "kill billed"), ("v1", "kill billed")]
)
def test_run_wait_settles_everything_in_one_run(world: World, protocol: str, moment: str) -> None:
    world.provider.behaviour.protocol = protocol
    world.provider.behaviour.records.lag = 1.0
    world.recipe()
    world.provider.behaviour.fates[2] = moment
    assert world.run().code == KILLED
    said = world.run("--wait")
    assert said.code == 0, world.story()
    world.assert_complete(4)


def test_a_doubt_that_was_given_up_is_adopted_when_evidence_appears(doubtful: World) -> None:
    doubtful.command("resolve", "recipe.yaml", "--assume-lost")
    doubtful.wait(660)
    said = doubtful.settle(runs=3)
    assert said.code == 0, doubtful.story()
    doubtful.assert_complete(4)


def test_a_doubt_that_is_bought_again_by_order_counts_twice_against_the_cap(
    doubtful: World,
) -> None:
    """Correct caps: 4 calls so far, the fifth may be made, a sixth may not."""
    doubtful.command("resolve", "recipe.yaml", "--resubmit", "--max-cost", "0.05")
    doubtful.recipe(images=3, max_cost=0.25)
    assert doubtful.run().code in (5, 7), doubtful.story()
    assert len(doubtful.provider.bill) == 5, doubtful.story()
