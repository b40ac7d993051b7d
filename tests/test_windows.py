"""On Windows the command says where it runs, in one sentence, before anything that Windows lacks."""

from __future__ import annotations

import subprocess
import sys

import pytest

# what the installed script and `python -m` do first, on a system without the modules of POSIX
_WINDOWS = (
    "import sys; sys.platform = 'win32'; sys.modules.update(fcntl=None, resource=None, pwd=None); "
)


@pytest.mark.parametrize(
    "start",
    ["from relightflow.cli import main; main()", "import runpy; runpy.run_module('relightflow')"],
)
def test_one_sentence_and_no_traceback(start: str) -> None:
    done = subprocess.run([sys.executable, "-c", _WINDOWS + start], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(
        "error: relightflow runs on Linux and macOS. On Windows, install it in WSL "
    )
    assert done.stderr.count("\n") == 1
