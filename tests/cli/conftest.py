import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.program import Relightflow, environment


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
