"""The files for other people's repositories fit their published schemas and do what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from relightflow.cli.group import relightflow as command_line
from tests.cli.program import environment
from tests.scripted_backend import png

ROOT = Path(__file__).parents[2]
GITLAB: dict[str, Any] = yaml.safe_load((ROOT / "ci/gitlab.yml").read_text())
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
INSTRUCTIONS = re.sub(r"\\\n", "", (ROOT / "Dockerfile").read_text())


@pytest.mark.parametrize(
    ("schema", "file"),
    [("github-actions", "action.yml"), ("gitlab-ci", "ci/gitlab.yml")],
)
def test_a_file_fits_its_published_schema(schema: str, file: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, ROOT / file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_pre_commit_finds_the_hooks_sound() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert [hook["id"] for hook in HOOKS] == [
        "relightflow-validate",
        "relightflow-plan-budget",
        "relightflow-manifest",
    ]


@pytest.mark.parametrize("file", sorted(ROOT.glob("ci/*.sh")), ids=lambda path: path.name)
def test_a_script_is_one_that_bash_can_read(file: Path) -> None:
    done = subprocess.run(["bash", "-n", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert file.read_text().startswith("#!/usr/bin/env bash\n")


def test_gitlab_jobs_call_commands_with_options_that_exist() -> None:
    lines = [line for name, job in GITLAB.items() if name.startswith("relightflow:")
             for line in job["script"] if line.startswith("relightflow ")]  # fmt: skip
    assert len(lines) >= 5
    for line in lines:
        name, *words = line.split()[1:]
        command = command_line.get_command(None, name)  # type: ignore[arg-type]  # it is not read
        assert command
        known = {opt for option in command.params for opt in option.opts}
        assert {word for word in words if word.startswith("-")} <= known, line


def test_gitlab_jobs_run_as_shell(tmp_path: Path) -> None:
    """The three shards and the merge, in folders that stand for what artifacts carry."""
    (tmp_path / "recipes").mkdir()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(png("a"))
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "recipes" / "r.yaml").write_text(
        'version: 1\nname: r\nsources: [{type: glob, include: ["../photos/*.png"]}]\n'
        "backend: {type: preview}\nmatrix: {light_direction: all}\n"
        "sinks: [{type: directory, path: ../out/}]\n"
    )

    def job(name: str, **variables: str) -> None:
        path = f"{Path(sys.executable).parent}:{environment()['PATH']}"
        env = environment({**GITLAB["variables"], **variables, "PATH": path})
        script = "\n".join(GITLAB[f"relightflow:{name}"]["script"])
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path, env=env, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    total = GITLAB["relightflow:shard"]["parallel"]
    for number in range(1, total + 1):
        job("shard", CI_NODE_INDEX=str(number), CI_NODE_TOTAL=str(total))
        assert (tmp_path / f"junit-{number}.xml").is_file()
    job("merge")
    assert (tmp_path / "report" / "index.html").is_file()
    assert (tmp_path / "out" / "manifest.jsonl").is_file()


def lines(instruction: str) -> list[str]:
    return re.findall(rf"^{instruction} (.+)$", INSTRUCTIONS, re.MULTILINE)


def test_the_image_does_not_run_as_root_and_pins_what_it_installs() -> None:
    assert INSTRUCTIONS.rindex("\nUSER ") > INSTRUCTIONS.rindex("\nRUN ")
    assert lines("USER")[-1] != "root"
    assert all(":" in name.split()[0] and "latest" not in name for name in lines("FROM"))
    installs = [line for line in lines("RUN") if "pip install" in line]
    assert all("--no-cache-dir" in line for line in installs)
    assert "--require-hashes" in installs[0]
    assert all("--no-deps" in line for line in installs[1:])
    assert lines("ENTRYPOINT") == ['["relightflow"]']  # no shell between signals and the program
    assert not lines("ADD")


def test_the_image_gets_only_what_it_copies() -> None:
    """.dockerignore leaves everything out but that: no state, no key, no picture gets into a layer."""
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    copied = {word for line in lines("COPY") if "--from" not in line for word in line.split()[:-1]}
    assert kept == copied
    assert all((ROOT / name).exists() for name in kept)


def test_the_build_file_has_what_the_wheel_needs() -> None:
    """The RUN line that builds has no network: its tools come from the lock."""
    locked = (ROOT / "requirements/run.txt").read_text()
    assert re.search(r"^hatchling==", locked, re.MULTILINE)
    assert re.search(r"^editables==", locked, re.MULTILINE)
