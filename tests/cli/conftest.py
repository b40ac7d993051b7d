import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.program import Relightflow, environment
from tests.processes.commands import start


@pytest.fixture
def relightflow(tmp_path: Path) -> Relightflow:
    def run(
        *arguments: str, env: Mapping[str, str] | None = None, **options: object
    ) -> "subprocess.CompletedProcess[str]":
        usual = {"cwd": tmp_path, "stdin": subprocess.DEVNULL, **options}
        cwd, stdin = usual.pop("cwd"), usual.pop("stdin")
        if not usual and stdin == subprocess.DEVNULL and "PYTHONPATH" not in (env or {}):
            said = start(arguments, Path(str(cwd)), environment(env)).wait()
            return subprocess.CompletedProcess(arguments, said.code, said.out, said.err)
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
