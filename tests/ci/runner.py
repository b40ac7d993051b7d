"""The shell steps of action.yml, run as GitHub's runner runs them: inputs become environment variables, and
outputs come from a file."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cli.program import environment

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
RUN = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "relightflow")
KEEP = ACTION["runs"]["steps"][-1]


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    outputs: dict[str, str]
    summary: str
    said: str


def with_inputs(**inputs: str) -> dict[str, str]:
    """The environment of the step, as its `env` says."""
    unknown = inputs.keys() - {name.replace("-", "_") for name in ACTION["inputs"]}
    assert not unknown, unknown
    given = {name: inputs.get(name.replace("-", "_"), facts.get("default", ""))
             for name, facts in ACTION["inputs"].items()}  # fmt: skip
    return {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], text)
        for name, text in RUN["env"].items()
    }


def step(
    folder: Path,
    kill: bool = False,
    env: dict[str, str] | None = None,
    more: Mapping[str, str] | None = None,
    **inputs: str,
) -> Ended:
    """Run the step in `folder`. `kill`: as a runner that cancels, once the program says something."""
    folder.mkdir(exist_ok=True)
    files = {name: folder.parent / f"{folder.name}-{name}" for name in ("output", "summary")}
    for file in files.values():
        file.write_text("")
    variables = environment({
        **with_inputs(**inputs, **(more or {})),
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(files["output"]),
        "GITHUB_STEP_SUMMARY": str(files["summary"]),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        **(env or {}),
    })  # fmt: skip
    process = subprocess.Popen(
        ["bash", "-c", RUN["run"]], cwd=folder, env=variables, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    said = ""
    if kill:
        assert process.stderr
        said = process.stderr.readline()
        os.kill(process.pid, signal.SIGINT)
    rest = process.communicate(timeout=120)
    lines = files["output"].read_text().splitlines()
    outputs = dict(line.split("=", 1) for line in lines)
    return Ended(process.returncode, outputs, files["summary"].read_text(), said + "".join(rest))
