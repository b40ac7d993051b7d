"""The example workflow, played through: every job on a machine of its own, with artifacts between them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.runner import ROOT, Ended, step
from tests.conftest import Program, Stage, make_store

EXAMPLE = ROOT / "ci/example/.github/workflows/relight.yml"
FILE = ROOT / ".github/workflows/relight.yml"
"""The workflow that the example calls."""
CALL: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())["jobs"]["relight"]
CALLED: dict[Any, Any] = yaml.safe_load(FILE.read_text())
INPUTS: dict[str, Any] = CALLED[True]["workflow_call"]["inputs"]  # `on` is true in YAML 1.1
JOBS: dict[str, Any] = CALLED["jobs"]
SHARDS: list[str] = json.loads(INPUTS["shards"]["default"])
OURS = "./relightflow-action"


class Pipeline:
    """One run of the workflow, for the recipe of a stage."""

    def __init__(self, stage: Stage, program: Program, name: str) -> None:
        self.stage, self.program = stage, program
        self.folder = stage.folder / name
        self.artifacts = self.folder / "artifacts"
        self.artifacts.mkdir(parents=True)
        self.store = make_store(f"file://{stage.folder}/store")

    def job(self, name: str, shard: str = "", **env: str) -> Ended:
        machine = self.folder / f"{name}-{shard.replace('/', '-of-')}"
        values = {
            "matrix.shard": shard,
            **{f"inputs.{key}": str(one.get("default", "")) for key, one in INPUTS.items()},
            **{f"inputs.{key}": value for key, value in CALL["with"].items()},
            "inputs.store": self.store,
            "github.event.pull_request.base.sha": "main",
        }
        ended = None
        for one in JOBS[name]["steps"]:
            with_ = {
                key: re.sub(r"\$\{\{ (.+?) \}\}", lambda found: values[found[1]], str(value))
                for key, value in one.get("with", {}).items()
            }
            ended = self._step(one["uses"], with_, machine, env) or ended
        assert ended
        return ended

    def _step(
        self, uses: str, with_: dict[str, str], machine: Path, env: dict[str, str]
    ) -> Ended | None:
        if uses == OURS:
            inputs = {key.replace("-", "_"): value for key, value in with_.items()}
            ended = step(machine, env={**self._plugin(), **env}, more=inputs)
            if ended.outputs["artifact"] and (machine / "relightflow-state").exists():
                target = self.artifacts / ended.outputs["artifact"]
                shutil.copytree(machine / "relightflow-state", target, dirs_exist_ok=True)
            return ended
        kind = uses.split("@")[0]
        if kind == "actions/checkout" and "repository" in with_:
            assert with_["path"] == OURS.removeprefix("./")  # `step` runs the action of this tree
        elif kind == "actions/checkout":
            subprocess.run(
                ["git", "clone", "-q", self.stage.folder / "repository", machine], check=True
            )
        elif kind == "actions/upload-artifact":
            self._copy(machine / with_["path"], self.artifacts / with_["name"])
        else:
            assert kind == "actions/download-artifact"
            for found in self.artifacts.glob(with_.get("name") or with_["pattern"]):
                for file in [found] if "pattern" in with_ else found.iterdir():
                    self._copy(file, machine / with_.get("path", "") / file.name)
        return None

    def _copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            target = target / source.name if target.parent == self.artifacts else target
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)

    def _plugin(self) -> dict[str, str]:
        return {
            "PYTHONPATH": f"{ROOT}{os.pathsep}{self.stage.folder / 'site'}",
            "STUDIO_MODE": "v2",
            "STUDIO_BOOK": str(self.program.book),
        }


@pytest.fixture
def repository(stage: Stage) -> Path:
    stage.recipe(list(range(6)), concurrency=1)  # a kill leaves one call in flight
    folder = stage.folder / "repository"
    (folder / "recipes" / "in").mkdir(parents=True)
    shutil.copy(stage.folder / "in" / "a.png", folder / "recipes" / "in")
    shutil.copy(stage.path, folder / "recipes")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    return folder


def push(stage: Stage, program: Program, name: str, kill: str = "") -> Ended:
    run = Pipeline(stage, program, name)
    assert run.job("plan").code == 0
    for shard in SHARDS:
        env = {"RELIGHTFLOW_CRASH_AT": "after-accepted:1"} if shard == kill else {}
        ended = run.job("shard", shard, **env)
        assert ended.code == (137 if shard == kill else 0), ended.said
    return run.job("merge")


def test_a_pull_request_gets_its_price(stage: Stage, program: Program, repository: Path) -> None:
    assert repository.exists()
    run = Pipeline(stage, program, "pull-request")
    ended = run.job("price")
    assert (ended.code, ended.outputs["cost"]) == (0, "0.3"), ended.said
    assert "relightflow:plan" in (run.artifacts / "comment" / "comment.md").read_text()
    assert not program.billed()


def test_a_push_buys_once_in_three_shards_and_the_next_one_nothing(
    stage: Stage, program: Program, repository: Path
) -> None:
    assert repository.exists()
    merged = push(stage, program, "first")
    assert merged.code == 0, merged.said
    assert len(program.billed()) == 6
    report = stage.folder / "first" / "artifacts" / "report"
    assert (report / "index.html").is_file()
    assert "demo" in merged.summary
    assert push(stage, program, "second").code == 0
    assert len(program.billed()) == 6


def test_a_job_that_is_killed_loses_nothing(
    stage: Stage, program: Program, repository: Path
) -> None:
    """Its state is an artifact all the same; the merge collects what was accepted, and the next push
    buys the rest."""
    assert repository.exists()
    merged = push(stage, program, "first", kill="2/3")
    assert merged.code == 75, merged.said
    assert push(stage, program, "second").code == 0
    assert set(Counter(program.billed()).values()) == {1}
    assert len(program.billed()) == 6


@pytest.mark.parametrize("file", [EXAMPLE, FILE], ids=["caller", "called"])
def test_the_example_fits_the_schema_of_workflows(file: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    done = subprocess.run(
        [*command, "vendor.github-workflows", file], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_example_gives_every_input_that_is_required_and_no_other() -> None:
    required = {key for key, one in INPUTS.items() if one.get("required")}
    assert required <= CALL["with"].keys() <= INPUTS.keys()
    assert CALL["secrets"].keys() <= CALLED[True]["workflow_call"]["secrets"].keys()
