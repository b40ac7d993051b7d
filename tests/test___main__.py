from __future__ import annotations

import subprocess
import sys

from tests.cli.program import environment


def test_the_module_is_the_command_and_ends_with_its_code() -> None:
    for arguments, code in ((["--version"], 0), (["no-such-command"], 2)):
        ran = subprocess.run(
            [sys.executable, "-m", "relightflow", *arguments],
            capture_output=True, text=True, env=environment(),
        )  # fmt: skip
        assert ran.returncode == code, ran.stderr
        assert "Traceback" not in ran.stderr


def test_importing_it_runs_nothing() -> None:
    import relightflow.__main__ as module

    assert module.__doc__
