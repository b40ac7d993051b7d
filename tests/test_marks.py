from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.marks import LONG, SLOW, TESTS

PORT = """
import socket

def test_a_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
"""


def test_what_is_slow_or_long_exists() -> None:
    assert [name for name in LONG | SLOW if not (TESTS / name).exists()] == []


def test_a_quick_test_may_not_open_a_port(tmp_path: Path) -> None:
    (tmp_path / "test_port.py").write_text(PORT)
    (tmp_path / "conftest.py").write_text(
        f"import sys; sys.path.insert(0, {str(TESTS.parent)!r})\n"
        f"from pathlib import Path; from tests import marks; marks.TESTS = Path({str(tmp_path)!r})\n"
        "pytest_plugins = ['tests.marks']\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
    ]

    def ends(*options: str) -> tuple[int, str]:
        done = subprocess.run([*command, *options, tmp_path], capture_output=True, text=True)
        return done.returncode, done.stdout

    assert ends()[0] == 0
    code, said = ends("-m", "not slow")
    assert code == 1
    assert "opens a port: name its file in SLOW of tests/marks.py" in said
