"""Every bomb is answered in a process that may use little memory and little time."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

MEGABYTES = 200
SECONDS = 10
"""Of processor time, start-up and a busy machine included; far above the second it should take,
because what is tested is that no bomb goes off."""

_ALIASES = "x0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"x{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)
_KEYS = "{" + ", ".join(f"k{n}: {n}" for n in range(70_000)) + "}"
BOMBS = {
    "brackets": "[" * 100_000,
    "a mebibyte of brackets": "[" * 1_000_000,
    "closed brackets": "a: " + "[" * 400_000 + "]" * 400_000,
    "braces": "{a: " * 200_000,
    "question marks": "? " * 500_000,
    "dashes": "- " * 500_000,
    "aliases": _ALIASES,
    "a deep chain of aliases": "".join(
        f"x{n}: &a{n} {'[' * 50}{f'*a{n - 1}' if n else 1}{']' * 50}\n" for n in range(2000)
    ),
    "anchors": "".join(f"- &a{n} 1\n" for n in range(80_000)),
    "keys": _KEYS,
    "duplicate keys": "a: 1\n" * 200_000,
    "unknown fields": "".join(f"field{n}: 1\n" for n in range(40_000)),
    "list items": "- 1\n" * 250_000,
    "a long number": "repeat: " + "9" * 1_000_000,
    "a long float": "repeat: 1." + "9" * 1_000_000 + "x",
    "a long key": "k" * 1_000_000 + ": 1",
    "a long text": "name: " + "a-" * 500_000,
    "a long path": "sources: [{type: glob, include: ['" + "../a/" * 200_000 + "']}]",
    "a long quoted text": 'name: "' + "\\u0001" * 170_000 + '"',
    "a long rate": "limits: {rate: '" + "1" * 1_000_000 + "/'}",
    "many problems": "sources: [" + "1, " * 40_000 + "1]",
    "many problems below": "sources: [{type: glob, include: [" + "1, " * 40_000 + "1]}]",
    "many axis values": "matrix: {light_type: [" + "a, " * 40_000 + "a]}",
    "many excludes": "matrix: {light_type: all, exclude: [" + "{a: 1}, " * 15_000 + "]}",
    "one merge after another": "x: &x {a: 1}\n" + "y: {<<: *x}\n" * 50_000,
    "documents": "---\na\n" * 150_000,
    "comments": "# \n" * 300_000,
    "spaces": " " * 1_000_000 + "a",
    "line ends": "\n" * 1_000_000,
    "tags": "- !" + "x" * 1000 + " 1\n" * 900,
}

_PROGRAM = """
import runpy, sys
from pathlib import Path
from relightflow.errors import InvalidRecipe
from relightflow.recipe import load
registry = runpy.run_path(sys.argv[1])["make_registry"]()
try:
    load(Path(sys.argv[2]), registry)
except InvalidRecipe as error:
    assert 0 < len(error.problems) <= 101, len(error.problems)
    print(error.problems[0])
status = Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_and_does_not_go_off(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.yaml"
    path.write_text(BOMBS[name])
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(Path(__file__).parent / "conftest.py"), str(path)],
        preexec_fn=_limits,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told, *_, peak = done.stdout.splitlines()
    assert "bomb.yaml" in told
    assert len(told) < 2000
    assert int(peak) < MEGABYTES
