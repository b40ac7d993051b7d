"""action.yml: its steps are run as shell, its inputs are only ever words, and its state is kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ci.runner import ACTION, KEEP, ROOT, RUN, step
from tests.scripted_backend import png

RECIPE = """\
version: 1
name: catalogue
sources: [{type: glob, include: ["photos/*.png"]}]
backend: {type: preview}
matrix: {light_direction: [left, right]}
limits: {max_cost: 5.00}
sinks: [{type: directory, path: out/, name: "{image.stem}-{light_direction}.{ext}"}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "recipes").mkdir(parents=True)
    (folder / "photos").mkdir()
    (folder / "photos" / "a.png").write_bytes(png("a"))
    subprocess.run(["git", "init", "-q", folder], check=True)
    text = RECIPE.replace("photos/", "../photos/").replace("out/", "../out/")
    (folder / "recipes" / "catalogue.yaml").write_text(text)
    return folder


def test_a_plan_says_what_it_costs(project: Path) -> None:
    paid = project / "recipes" / "catalogue.yaml"
    paid.write_text(paid.read_text().replace("preview", "segmind"))
    found = step(project, command="plan", recipe="recipes", plan="plan.json", comment="comment.md")
    assert found.code == 0, found.said
    assert found.outputs["cost"] == "0.1"
    assert found.outputs["new"] == "2"
    assert found.outputs["artifact"] == ""
    assert len(found.outputs["plan-sha256"]) == 64
    assert "0.10 USD" in (project / found.outputs["comment"]).read_text()
    too_dear = step(project, command="plan", recipe="recipes", fail_above="0.05")
    assert too_dear.code == int(too_dear.outputs["exit-code"]) == 9


def test_a_run_says_what_it_made_and_writes_summary_gallery_and_junit(project: Path) -> None:
    found = step(project, command="run", recipe="recipes", report="report", junit="junit.xml")
    assert found.code == 0, found.said
    assert found.outputs["new"] == "2"
    assert (found.outputs["failed"], found.outputs["unknown"]) == ("0", "0")
    assert found.outputs["spent"] == "0"
    assert Path(found.outputs["manifest"]).is_file()
    assert (project / found.outputs["report"] / "index.html").is_file()
    assert (project / "junit.xml").is_file()
    assert "catalogue" in found.summary
    assert found.outputs["artifact"] == "relightflow-state"
    assert (project / "relightflow-state" / "ledger.sqlite3").is_file()


def test_a_plan_is_applied_in_shards_and_merged(project: Path) -> None:
    assert step(project, command="plan", recipe="recipes", plan="plan.json").code == 0
    for number in (1, 2):
        found = step(
            project, command="apply", plan="plan.json", shard=f"{number}/2", recipe="recipes"
        )
        assert found.code == 0, found.said
        assert found.outputs["artifact"] == f"relightflow-shard-{number}-of-2"
        shutil.move(project / "relightflow-state", project / "shards" / found.outputs["artifact"])
    merged = step(project, command="merge", plan="plan.json", recipe="recipes", report="report",
                  more={"from": "shards"})  # fmt: skip
    assert merged.code == 0, merged.said
    assert len([*(project / "out").glob("*.jpg"), *(project / "out").glob("*.png")]) == 2
    assert merged.outputs["report"] == "report"
    again = step(project, command="pull", recipe="recipes")
    assert (again.code, again.outputs["new"]) == (0, "0")


def test_the_exit_code_of_the_program_is_that_of_the_step(project: Path) -> None:
    recipe = project / "recipes" / "catalogue.yaml"
    recipe.write_text(recipe.read_text().replace("left", "bottom"))
    found = step(project, command="validate", recipe="recipes")
    assert found.code == int(found.outputs["exit-code"]) == 2
    assert "did you mean" in found.said


@pytest.mark.parametrize(
    "inputs",
    [
        {"recipe": "$(touch hacked)"},
        {"recipe": "recipes; touch hacked"},
        {"recipe": "--help\nrecipes"},
        {"recipe": "recipes", "shard": "1/2; touch hacked"},
        {"recipe": "recipes", "state": "a b;touch hacked"},
        {"recipe": "recipes", "max_cost": "`touch hacked`"},
    ],
)
def test_an_input_is_a_word_and_never_a_script(project: Path, inputs: dict[str, str]) -> None:
    step(project, command="run", more=inputs)
    assert not list(project.rglob("hacked"))


def test_a_recipe_that_is_called_like_an_option_is_a_file(project: Path) -> None:
    """Its name may come from a pull request."""
    found = step(project, command="run", recipe="--buy-again")
    assert (found.code, "--buy-again" in found.said) == (2, True)
    assert "No such option" not in found.said


FAKE = """#!/usr/bin/env bash
trap 'echo recorded > recorded; kill $!; exit 143' TERM
[ "$1" = report ] && exit
echo begun >&2
sleep 60 &
wait
"""


def test_a_job_that_is_cancelled_ends_in_order_and_keeps_its_state(
    project: Path, tmp_path: Path
) -> None:
    """The runner signals the script alone; the program is told, and waited for."""
    program = tmp_path / "bin" / "relightflow"
    program.parent.mkdir()
    program.write_text(FAKE)
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    found = step(project, kill=True, env={"PATH": path}, command="run", recipe="recipes")
    assert found.code == 143
    assert (project / "recorded").read_text() == "recorded\n"
    assert found.outputs["artifact"] == "relightflow-state"
    assert found.outputs["exit-code"] == "143"


def test_a_command_that_is_none_is_an_error(project: Path) -> None:
    found = step(project, command="gc", recipe="recipes")
    assert (found.code, "must be validate" in found.said) == (2, True)


def test_the_state_is_named_before_anything_runs_and_kept_whatever_happens() -> None:
    assert KEEP["if"].startswith("always()")
    assert KEEP["uses"].split("@")[0] == "actions/upload-artifact"
    assert KEEP["with"]["path"] == "${{ inputs.state }}"
    assert not ACTION["inputs"]["state"]["default"].startswith(".")  # artifacts leave those out


def test_actions_are_pinned_by_commit_and_nothing_is_pasted_into_a_script() -> None:
    for one in ACTION["runs"]["steps"]:
        assert "${{" not in one.get("run", "")
        if "uses" in one:
            assert len(one["uses"].split("@")[1]) == 40
    assert set(RUN["env"].values()) == {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}


def test_every_output_is_one_that_the_script_writes() -> None:
    text = (ROOT / "ci/action.sh").read_text() + (ROOT / "ci/outputs.py").read_text()
    for name, facts in ACTION["outputs"].items():
        assert facts["value"] == f"${{{{ steps.relightflow.outputs.{name} }}}}"
        assert f"output {name} " in text or f'yield "{name}"' in text


def test_outputs_are_one_line_each_whatever_a_document_says(tmp_path: Path) -> None:
    document = {
        "kind": "summary",
        "counts": {"made": 1, "failed": 0, "unknown": 0},
        "money": {"spent_usd": 0.05},
        "manifest": "runs/x\nspent=0",
    }
    (tmp_path / "documents").write_text(json.dumps(document) + "\nnoise\n")
    command = [sys.executable, f"{ROOT}/ci/outputs.py", "run", f"{tmp_path}/documents"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["spent=0.05", "new=1", "failed=0", "unknown=0", "manifest=runs/x"]
