"""`run --shard` and `merge` as they are typed, with the real program and real kills."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from typing import Any

import pytest

from relightflow.errors import Exit
from tests.conftest import Program, Stage


@pytest.fixture
def sharded(stage: Stage) -> Stage:
    stage.image("b.png")
    stage.recipe(list(range(6)), concurrency=2)
    return stage


def shard(program: Program, number: int, count: int, **more: Any) -> tuple[int, str]:
    return program.run("--shard", f"{number}/{count}", "--state", f"shards/{number}", **more)


def test_shards_that_are_killed_twice_give_the_bytes_of_one_run(
    sharded: Stage, program: Program
) -> None:
    assert program.run()[0] == 0
    expected = {path.name: path.read_bytes() for path in sharded.out.iterdir()}
    shutil.rmtree(sharded.out)
    shutil.rmtree(sharded.state_dir.root)
    program.book.unlink()
    for number in (1, 2, 3):
        for point in ("after-accepted", "before-commit"):
            code, said = shard(program, number, 3, crash=f"{point}:2")
            assert code == -signal.SIGKILL, said
        code, said = shard(program, number, 3)
        assert code == 0, said
    code, said = program.call("merge", "recipe.yaml", "--from", "shards")
    assert code == 0, said
    assert "3 of 3 shards merged: 12 results, 0.60 USD added" in said
    assert {path.name: path.read_bytes() for path in sharded.out.iterdir()} == expected
    assert set(Counter(program.billed()).values()) == {1}
    assert len(program.billed()) == 12


def test_a_missing_shard_ends_with_75_and_is_named(sharded: Stage, program: Program) -> None:
    for number in (1, 3):
        assert shard(program, number, 3)[0] == 0
    code, said = program.call("merge", "recipe.yaml", "--from", "shards", "--json")
    assert code == Exit.EARLY
    assert "not given: shard 2/3" in said
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [line["kind"] for line in lines] == ["merge", "summary"]
    assert lines[0]["missing"] == ["2/3"]
    assert lines[1]["counts"]["not_started"]
    assert lines[1]["next_command"] == ""  # a run would buy what the missing shard has bought


def test_the_worst_code_of_the_shards_is_the_merges(sharded: Stage, program: Program) -> None:
    assert shard(program, 1, 2)[0] == 0
    code, said = program.run(
        "--shard", "2/2", "--state", "shards/2", "--set", "limits.max_cost=0.1"
    )
    assert code == Exit.BUDGET, said
    assert "the share of shard 2/2 in limits.max_cost" in said
    assert program.call("merge", "recipe.yaml", "--from", "shards")[0] == Exit.BUDGET


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "1/3/5", "-1/3", "1/100000"])
def test_a_shard_that_cannot_be_is_an_error(program: Program, text: str) -> None:
    code, said = program.run("--shard", text, "--state", "s")
    assert code == Exit.INVALID
    assert "valid shard" in said or "No such option" in said
    assert not program.billed()


def test_a_plan_shows_what_a_shard_would_buy(sharded: Stage, program: Program) -> None:
    prices = []
    for number in (1, 2):
        code, said = program.call(
            "plan", "recipe.yaml", "--shard", f"{number}/2", "--state", "s", "--json"
        )
        assert code == 0, said
        prices.append(json.loads(said)["price_usd"]["high"])
    assert round(sum(prices), 6) == 0.6
    assert sharded.plan().jobs_count == 12


def test_no_folder_to_merge_is_an_error(sharded: Stage, program: Program) -> None:
    code, said = program.call("merge", "recipe.yaml", "--from", "nowhere")
    assert (code, "nowhere: no such folder" in said) == (Exit.INVALID, True)
    assert not sharded.state_dir.ledger.exists()


def test_a_plan_file_is_applied_in_shards_and_merged_by_its_name(
    sharded: Stage, program: Program
) -> None:
    """The same bytes as one `apply`, the plan's hash among them, and nothing is bought twice."""
    plan = ("plan", "recipe.yaml", "--max-cost", "0.6", "-o", "plan.json")
    assert program.call(*plan)[0] == 0
    assert program.call("apply", "plan.json")[0] == 0
    expected = {path.name: path.read_bytes() for path in sharded.out.iterdir()}
    assert b'"plan":"' in expected["manifest.jsonl"]
    shutil.rmtree(sharded.out)
    shutil.rmtree(sharded.state_dir.root)
    program.book.unlink()
    for number in (1, 2, 3):
        code, said = program.call(
            "apply", "plan.json", "--shard", f"{number}/3", "--state", f"shards/{number}"
        )
        assert code == 0, said
    code, said = program.call("merge", "plan.json", "--from", "shards")
    assert code == 0, said
    assert {path.name: path.read_bytes() for path in sharded.out.iterdir()} == expected
    assert len(program.billed()) == 12
    code, said = program.call("apply", "plan.json")
    assert code == 0, said
    assert len(program.billed()) == 12


def test_a_plan_file_says_all_so_options_are_refused(sharded: Stage, program: Program) -> None:
    assert program.call("plan", "recipe.yaml", "--max-cost", "1", "-o", "plan.json")[0] == 0
    (sharded.folder / "shards").mkdir()
    code, said = program.call("merge", "plan.json", "--from", "shards", "--limit", "3")
    assert (code, "cannot change a plan file" in said) == (Exit.INVALID, True)


def test_a_plan_file_of_a_shard_is_refused(sharded: Stage, program: Program) -> None:
    assert sharded.path.exists()
    code, said = program.call("plan", "recipe.yaml", "--shard", "1/2", "-o", "plan.json")
    assert (code, "--shard belongs to apply" in said) == (Exit.INVALID, True)
