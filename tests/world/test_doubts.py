"""Issue 9, section 8: doubts are told well, and settle without a person."""

from __future__ import annotations

import json

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
    job = json.loads(doubtful.command("resolve", "recipe.yaml", "--json").out)["held"][0]["job"]
    doubtful.command("resolve", "recipe.yaml", "--resubmit", "--max-cost", "0.05", "--job", job)
    doubtful.recipe(images=3, max_cost=0.25)
    assert doubtful.run().code in (5, 7), doubtful.story()
    assert len(doubtful.provider.bill) == 5, doubtful.story()


def test_resubmit_leaves_to_the_records_what_they_will_settle(doubtful: World) -> None:
    said = doubtful.command("resolve", "recipe.yaml", "--resubmit", "--max-cost", "1")
    assert said.code == 5, doubtful.story()
    assert "1 call not resubmitted" in said.text, doubtful.story()
    doubtful.settle()
    doubtful.assert_complete(4)


def test_resubmit_looks_the_calls_up_first(doubtful: World) -> None:
    """By now the records show that the call was billed, so that nothing is left to resubmit."""
    doubtful.wait(660)
    said = doubtful.command("resolve", "recipe.yaml", "--resubmit", "--max-cost", "1")
    assert said.code == 0, doubtful.story()
    assert "1 call found in the provider's records" in said.text, doubtful.story()
    doubtful.settle()
    doubtful.assert_complete(4)


def test_resubmit_buys_again_what_the_records_cannot_settle(doubtful: World) -> None:
    doubtful.provider.behaviour.records.inputs = "unreadable"
    doubtful.provider.behaviour.records.model = "another-name"
    doubtful.wait(660)
    said = doubtful.command("resolve", "recipe.yaml", "--resubmit", "--max-cost", "1")
    assert "1 call decided" in said.text, doubtful.story()
    assert doubtful.run().code == 0, doubtful.story()
    assert len(doubtful.provider.bill) == 5, doubtful.story()


def test_resubmit_without_a_key_decides_nothing_unless_the_job_is_named(doubtful: World) -> None:
    env = {"SEGMIND_API_KEY": ""}
    words = ("resolve", "recipe.yaml", "--resubmit", "--max-cost", "1")
    said = doubtful.command(*words, env=env)
    assert said.code == 4, doubtful.story()
    assert "--job" in said.text, doubtful.story()
    job = json.loads(doubtful.command("resolve", "recipe.yaml", "--json").out)["held"][0]["job"]
    assert "1 call decided" in doubtful.command(*words, "--job", job, env=env).text


def test_reconcile_counts_the_calls_of_others_apart(world: World) -> None:
    world.recipe()
    world.provider.behaviour.records.strangers = 7
    world.run()
    said = world.command("reconcile", "recipe.yaml")
    assert said.code == 0, world.story()
    assert "0.20 USD for 4 requests" in said.text, world.story()
    assert "7 requests that this state did not make" in said.text, world.story()
    found = json.loads(world.command("reconcile", "recipe.yaml", "--json").out)
    assert (found["requests"], len(found["others"]), found["findings"]) == (4, 7, [])


def test_reconcile_asks_the_backends_that_the_ledger_names(world: World) -> None:
    world.recipe()
    said = world.command("reconcile", "recipe.yaml")
    assert (said.code, "name one with --backend" in said.text) == (2, True), world.story()
    world.run()
    assert "segmind, from" in world.command("reconcile", "recipe.yaml").text, world.story()
