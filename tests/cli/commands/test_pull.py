"""`pull` delivers everything that is stored, buys nothing, and says what is missing."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

import pytest

from relightflow.cli import opening
from relightflow.cli.commands import pull
from relightflow.cli.group import relightflow as group
from relightflow.errors import Exit
from tests.conftest import Program, Stage, make_store


def test_what_is_stored_is_delivered_and_what_is_missing_is_told(
    stage: Stage, program: Program
) -> None:
    stage.recipe([0, 1])
    assert program.run()[0] == 0
    shutil.rmtree(stage.out)
    code, said = program.call("pull", "recipe.yaml")
    assert code == 0, said
    assert len(stage.images()) == 2
    stage.recipe([0, 1, 2])
    code, said = program.call("pull", "recipe.yaml")
    assert code == Exit.JOBS_FAILED
    assert "no result here yet; nothing was bought" in said
    assert "1 not started" in said
    assert len(program.billed()) == 2


def test_the_next_run_has_the_recipe_and_the_options_of_the_pull(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Sequence[str]] = []

    def instead(*given: Any) -> Exit:
        told.append(given[-1])
        return Exit.OK

    monkeypatch.setattr(pull, "deliver_stored", instead)
    monkeypatch.setattr(opening, "registry", lambda *_: stage.registry)
    recipe = str(stage.folder / "recipe.yaml")
    typed = ["pull", recipe, "--overwrite", "--state", str(stage.folder / "state")]
    with group.make_context("relightflow", [*typed], obj=typed) as context:
        assert group.invoke(context) is Exit.OK
    assert told == [("relightflow", "run", *typed[1:])]


def test_an_edited_file_is_kept_unless_told_otherwise(stage: Stage, program: Program) -> None:
    assert program.run()[0] == 0
    edited = next(stage.out.glob("*.png"))
    edited.write_bytes(b"mine")
    assert program.call("pull", "recipe.yaml")[0] == Exit.JOBS_FAILED
    assert edited.read_bytes() == b"mine"
    assert program.call("pull", "recipe.yaml", "--overwrite")[0] == 0
    assert edited.read_bytes() != b"mine"


def test_results_of_the_shared_store_are_delivered(stage: Stage, program: Program) -> None:
    store = make_store(f"file://{stage.folder}/store")
    stage.recipe([0, 1])
    assert program.run("--store", store)[0] == 0
    shutil.rmtree(stage.out)
    shutil.rmtree(stage.state_dir.root)
    stage.recipe([0, 1, 2])
    code, said = program.call("pull", "recipe.yaml", "--store", store)
    assert (code, len(stage.images())) == (Exit.JOBS_FAILED, 2), said
    assert len(program.billed()) == 2


def test_a_doubt_is_not_bought_again_whatever_the_recipe_says(
    stage: Stage, program: Program
) -> None:
    stage.recipe([0, 1], on_unknown="resubmit", max_cost=9)
    assert program.run(crash="after-submit:1")[0] < 0
    billed = len(program.billed())
    for command in (("pull", "recipe.yaml"), ("run", "recipe.yaml", "--collect-only")):
        code, said = program.call(*command)
        assert code == Exit.UNKNOWN, said
    assert len(program.billed()) == billed
