"""The files that other tools read: they fit their published schemas, and agree with the project."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
FORMS = sorted(GITHUB.glob("ISSUE_TEMPLATE/[!c]*.yml"))
HOOKS = [
    hook
    for repository in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    for hook in repository["hooks"]
]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def workflows() -> list[tuple[Path, Any]]:
    return [(path, yaml.safe_load(path.read_text())) for path in GITHUB.glob("workflows/*.yml")]


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", sorted(GITHUB.glob("workflows/*.yml"))),
        ("github-issue-forms", FORMS),
        ("github-issue-config", [GITHUB / "ISSUE_TEMPLATE/config.yml"]),
    ],
)
def test_what_github_reads_fits_its_schema(schema: str, files: list[Path]) -> None:
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_python_and_platform_of_the_classifiers_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    told = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    flow = yaml.safe_load((GITHUB / "workflows/test.yml").read_text())
    jobs = [job for job in flow["jobs"].values() if "strategy" in job]
    assert [job["strategy"]["matrix"]["python"] for job in jobs] == [told, told]
    assert {job["runs-on"].split("-")[0] for job in jobs} == {"ubuntu", "macos"}
    assert project["requires-python"] == f">={told[0]}"


def test_ci_runs_commands_that_exist() -> None:
    jobs = [job for _, flow in workflows() for job in flow["jobs"].values()]
    runs = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert set(runs) - {".ci/run"} <= {f"make {target}" for target in TARGETS}
    assert ".ci/run" in runs


def test_make_help_tells_of_every_command_that_people_type() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    told = set(re.findall(r"^make ([a-z-]+) ", done.stdout, re.MULTILINE))
    parts = {"help", "lint", "types", "unit", "images"}
    assert told == TARGETS - parts


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_of_pre_commit_runs_an_installed_tool_on_files_that_exist(hook: Any) -> None:
    assert {"id", "name", "entry", "language"} <= hook.keys()
    assert hook["language"] == "system"
    tool = hook["entry"].split()[0]
    assert tool.startswith(".venv/bin/")
    assert (Path(sys.executable).parent / Path(tool).name).exists()
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    assert re.search(hook.get("files", ""), "") or any(
        re.search(hook["files"], name) for name in files.splitlines()
    )
