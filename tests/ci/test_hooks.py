"""The hooks as their users have them: pre-commit clones the repository, installs it, and runs them.

It takes the package index of the machine, as every user of pre-commit does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripted_backend import png

ROOT = Path(__file__).parents[2]
VALID = """\
version: 1
name: shop
sources: [{type: glob, include: ["../photos/*.png"]}]
backend: {type: segmind}
matrix: {light_direction: [left, right]}
sinks: [{type: directory, path: ../out/}]
"""


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout as a repository of one commit, with what git tracks and what is about to be."""
    folder = tmp_path_factory.mktemp("hooks") / "relightflow"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
         "relightflow", "schemas", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git = [
        "git",
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@example.com",
        "-c",
        "commit.gpgsign=false",
    ]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], cwd=folder, check=True)


def test_the_hooks_run_from_a_clone(hooks: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "recipes").mkdir(parents=True)
    (project / "photos").mkdir()
    (project / "photos" / "a.png").write_bytes(png("a"))
    (project / "recipes" / "shop.yaml").write_text(VALID)
    (project / "notes.yaml").write_text("no: recipe\n")
    (project / "out").mkdir()
    (project / "out" / "manifest.jsonl").write_text('{"record":"recipe"}\n')
    commit(project)
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("RELIGHTFLOW_", "GIT_"))},
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
    }
    env.pop("PYTHONPATH", None)

    def run() -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "try-repo", hooks, "--all-files", "--verbose"],
            cwd=project, env=env, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout + done.stderr

    said = run()
    assert said.count("Passed") == 3, said
    (project / "recipes" / "shop.yaml").write_text(VALID.replace("left", "bottom"))
    (project / "out" / "manifest.jsonl").write_text(
        '{"record":"recipe"}\n{"record":"output","status":"done","path":"gone.png","sha256":"0"}\n'
    )
    subprocess.run(["git", "add", "-A"], cwd=project, check=True)
    said = run()
    assert "'bottom' is not allowed" in said
    assert "1 file is missing" in said
    assert "notes.yaml" not in said
    (project / "recipes" / "shop.yaml").write_text(VALID + "repeat: 60\n")
    subprocess.run(["git", "add", "-A"], cwd=project, check=True)
    said = run()
    assert "5.00 USD" in said
    assert "exit code: 9" in said
