import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image

from relightflow.recipe.published import published
from tests.cli.program import Relightflow
from tests.conftest import Program

from .conftest import Rehearsal, Write

CAP = "limits: {max_cost: 3}\n"


@pytest.fixture
def planned(relightflow: Relightflow, write: Write, tmp_path: Path) -> Path:
    """A paid plan of two jobs."""
    write(backend="segmind", more=CAP)
    done = relightflow("plan", "spring.yaml", "-o", "plan.json")
    assert done.returncode == 0, done.stderr
    return tmp_path / "plan.json"


def records(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "out" / "manifest.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines][1:]


def test_a_plan_is_bought_once_and_named_by_all_that_it_bought(
    relightflow: Relightflow, planned: Path, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    sha256 = hashlib.sha256(planned.read_bytes()).hexdigest()
    first = relightflow("apply", "plan.json", "--json", env=rehearsal.env)
    assert first.returncode == 0, first.stderr
    summary = json.loads(first.stdout)
    assert summary["plan_sha256"] == sha256
    jsonschema.Draft7Validator(published("summary")).validate(summary)
    assert len(rehearsal.bill()) == 2
    manifest = (tmp_path / "out" / "manifest.jsonl").read_bytes()
    assert {record["plan"] for record in records(tmp_path)} == {sha256}
    again = relightflow("apply", "plan.json", env=rehearsal.env)
    assert again.returncode == 0, again.stderr
    assert len(rehearsal.bill()) == 2
    assert (tmp_path / "out" / "manifest.jsonl").read_bytes() == manifest
    run = relightflow("run", "spring.yaml", env=rehearsal.env)
    assert run.returncode == 0
    assert (tmp_path / "out" / "manifest.jsonl").read_bytes() == manifest, "it stays what it was"


def test_what_was_bought_before_the_plan_does_not_bear_its_name(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    write(backend="segmind", more=CAP)
    only = ("--only", "light_direction=left")
    assert relightflow("run", "spring.yaml", *only, env=rehearsal.env).returncode == 0
    relightflow("plan", "spring.yaml", "-o", "plan.json")
    assert relightflow("apply", "plan.json", env=rehearsal.env).returncode == 0
    assert ["plan" in record for record in records(tmp_path)] == [False, True]


def test_changed_images_are_refused_with_9_and_nothing_is_sent(
    relightflow: Relightflow, planned: Path, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    for number in range(30):
        Image.new("RGB", (48, 32), (number, 0, 0)).save(tmp_path / f"new-{number:02}.png")
    Image.new("RGB", (48, 32), (1, 2, 3)).save(tmp_path / "shoe.png")
    done = relightflow("apply", planned.name, "--yes", env=rehearsal.env)
    assert done.returncode == 9
    assert "31 differences (1 image changed, 30 images added); nothing was sent" in done.stderr
    assert done.stderr.count("\n  image ") == 20
    assert "and 11 more" in done.stderr
    assert rehearsal.bill() == []


def test_a_comment_another_order_and_a_purchase_are_no_drift(
    relightflow: Relightflow, planned: Path, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    recipe = tmp_path / "spring.yaml"
    recipe.write_text("# spring\n" + recipe.read_text().replace("left, right", "right, left"))
    only = ("--only", "light_direction=left")
    assert relightflow("run", "spring.yaml", *only, env=rehearsal.env).returncode == 0
    done = relightflow("apply", planned.name, env=rehearsal.env)
    assert done.returncode == 0, done.stderr
    assert "1 of the plan's 2 new jobs are bought already" in done.stderr
    assert len(rehearsal.bill()) == 2


def test_a_lower_cap_is_refused_unless_it_is_accepted(
    relightflow: Relightflow, planned: Path, rehearsal: Rehearsal
) -> None:
    done = relightflow("apply", planned.name, "--max-cost", "0.05", env=rehearsal.env)
    assert done.returncode == 9
    assert "--accept price" in done.stderr
    accepted = ("--max-cost", "0.05", "--accept", "price")
    assert relightflow("apply", planned.name, *accepted, env=rehearsal.env).returncode == 7
    assert len(rehearsal.bill()) == 1


def test_the_cap_of_the_plan_holds_although_the_recipe_raised_its_own(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    write(backend="segmind", more="limits: {max_cost: 0.05}\n")
    relightflow("plan", "spring.yaml", "-o", "plan.json")
    write(backend="segmind", more=CAP)
    done = relightflow("apply", "plan.json", env=rehearsal.env)
    assert done.returncode == 7, done.stderr
    assert "the plan's limits.max_cost" in done.stdout + done.stderr
    assert len(rehearsal.bill()) == 1


def test_a_paid_plan_without_any_cap_is_refused_as_a_run_is(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal
) -> None:
    write(backend="segmind")
    relightflow("plan", "spring.yaml", "-o", "plan.json")
    assert relightflow("apply", "plan.json", env=rehearsal.env).returncode == 7
    assert rehearsal.bill() == []


def test_a_missing_image_may_be_accepted(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    Image.new("RGB", (48, 32), (9, 9, 9)).save(tmp_path / "hat.png")
    relightflow("plan", "spring.yaml", "-o", "plan.json")
    (tmp_path / "hat.png").unlink()
    done = relightflow("apply", "plan.json")
    assert (done.returncode, "--accept missing" in done.stderr) == (9, True)
    assert relightflow("apply", "plan.json", "--accept", "missing").returncode == 0
    assert {record["source"]["name"] for record in records(tmp_path)} == {"shoe.png"}


@pytest.mark.parametrize(
    "options",
    [
        ("--only", "light_direction=left"),
        ("--limit", "1"),
        ("--set", "matrix.light_direction=[left]"),
        ("--set", "repeat=2"),
    ],
)
def test_the_selection_of_the_plan_is_applied(
    relightflow: Relightflow, write: Write, options: tuple[str, str]
) -> None:
    write()
    planned = relightflow("plan", "spring.yaml", "-o", "plan.json", "--json", *options)
    jobs = json.loads(planned.stdout)["jobs"]
    done = relightflow("apply", "plan.json", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["made"] == jobs


def test_picks_are_part_of_the_plan_and_their_file_is_not_needed(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    Image.new("RGB", (48, 32), (9, 9, 9)).save(tmp_path / "hat.png")
    pick = {"image_name": "hat.png", "cell": {"light_direction": "right"}}
    picks = tmp_path / "picks.json"
    picks.write_text(json.dumps({"kind": "picks", "version": 1, "picks": [pick]}))
    relightflow("plan", "spring.yaml", "--picks", "picks.json", "-o", "plan.json")
    picks.unlink()
    done = relightflow("apply", "plan.json", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["made"] == 1
    (tmp_path / "hat.png").unlink()
    assert relightflow("apply", "plan.json").returncode == 9


def test_the_recipe_is_found_from_anywhere_in_the_repository(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    inside = tmp_path / "deep" / "er"
    inside.mkdir(parents=True)
    write()
    relightflow("plan", "../../spring.yaml", "-o", "plan.json", cwd=inside)
    one = (inside / "plan.json").read_bytes()
    relightflow("plan", "spring.yaml", "-o", "plan.json")
    assert (tmp_path / "plan.json").read_bytes() == one, "whatever folder it was made in"
    assert relightflow("apply", "plan.json", cwd=inside).returncode == 0


def test_the_state_of_the_machine_is_not_in_the_plan(
    relightflow: Relightflow, planned: Path, tmp_path: Path
) -> None:
    text = planned.read_text()
    assert str(tmp_path) not in text
    os.utime(tmp_path / "shoe.png", (1, 1))
    relightflow("plan", "spring.yaml", "-o", "again.json")
    assert (tmp_path / "again.json").read_text() == text


def test_several_recipes_are_compared_before_the_first_is_bought(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    write("spring", "segmind", CAP)
    write("summer", "segmind", CAP.replace("}", "}\nrepeat: 2"))
    relightflow("plan", "spring.yaml", "summer.yaml", "-o", "plan.json")
    write("summer", "segmind", CAP)
    done = relightflow("apply", "plan.json", env=rehearsal.env)
    assert done.returncode == 9
    assert "summer: repeat: 2, now 1" in done.stderr
    assert rehearsal.bill() == []


def test_a_stale_plan_can_be_shown_and_one_whose_recipe_is_gone_too(
    relightflow: Relightflow, planned: Path, tmp_path: Path
) -> None:
    fresh = relightflow("plan", "show", planned.name)
    assert "stale" not in fresh.stdout
    Image.new("RGB", (48, 32), (1, 2, 3)).save(tmp_path / "shoe.png")
    stale = relightflow("plan", "show", planned.name)
    assert (stale.returncode, "1 difference by now: 1 image changed" in stale.stdout) == (0, True)
    (tmp_path / "spring.yaml").unlink()
    gone = relightflow("plan", "show", planned.name, "--json")
    assert gone.returncode == 0, gone.stderr
    found = json.loads(gone.stdout)
    assert "was not found" in found["stale"][0]
    assert found["plans"][0]["counts"]["new"] == 2


def test_no_file_is_written_where_a_recipe_is_wrong(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    write("broken", more="surprise: 1\n")
    done = relightflow("plan", "spring.yaml", "broken.yaml", "-o", "plan.json")
    assert done.returncode == 2
    assert not (tmp_path / "plan.json").exists()


@pytest.mark.parametrize("crash", ["after-submit:1", "after-accepted:1", "after-stored:1"])
def test_an_apply_that_was_killed_is_continued_by_the_same_apply(
    program: Program, crash: str
) -> None:
    program.stage.recipe(shades=[10, 20, 30], concurrency=1)
    code, said = program.run(command=("plan", "recipe.yaml", "-o", "plan.json"), mode="v2")
    assert code == 0, said
    apply = ("apply", "plan.json", "--max-cost", "9")
    assert program.run(command=apply, mode="v2", crash=crash)[0] == -9
    code, said = program.run(command=apply, mode="v2")
    assert code in (0, 5), said
    assert len(program.billed()) == len(set(program.billed())) == 3


def test_an_unknown_outcome_of_another_run_is_a_difference(program: Program) -> None:
    program.stage.recipe(shades=[10, 20, 30], concurrency=1)
    program.run(command=("plan", "recipe.yaml", "-o", "plan.json"), mode="v2")
    assert program.run(mode="v2", crash="after-submit:1")[0] == -9
    program.run(mode="v2")
    code, said = program.run(command=("apply", "plan.json", "--max-cost", "9"), mode="v2")
    assert code == 9
    assert "1 unknown outcome" in said
