import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Relightflow = Callable[..., "subprocess.CompletedProcess[str]"]
"""Runs the program as a process of its own: `relightflow("plan", "r.yaml", env={…})`."""

ROOT = Path(__file__).parents[2]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, without what a developer's machine may hold, and with the package of this checkout."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RELIGHTFLOW_", "SEGMIND_", "GITHUB_", "COV_"))
    }
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **(more or {})}


@pytest.fixture
def relightflow(tmp_path: Path) -> Relightflow:
    def run(
        *arguments: str, env: Mapping[str, str] | None = None, **options: object
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # type: ignore[call-overload,no-any-return]  # options vary
            [sys.executable, "-m", "relightflow", *arguments],
            **{
                "cwd": tmp_path,
                "env": environment(env),
                "capture_output": True,
                "text": True,
                "timeout": 60,
                **options,
            },
        )

    return run
