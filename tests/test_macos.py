"""Nothing needs what only Linux has: a run in a process without it, as on macOS."""

import subprocess
import sys
from pathlib import Path

from PIL import Image

from tests.cli.program import environment

LINUX_ONLY = (
    "O_TMPFILE", "O_PATH", "sched_getaffinity", "sched_setaffinity", "posix_fadvise", "fdatasync",
    "posix_fallocate", "copy_file_range", "memfd_create", "pidfd_open", "splice", "getrandom",
    "eventfd", "setresuid", "listxattr", "getxattr", "setxattr",
)  # fmt: skip
WITHOUT = (
    "import os, sys, time\n"
    f"for name in {LINUX_ONLY!r}:\n"
    "    if hasattr(os, name): delattr(os, name)\n"
    "for name in ('CLOCK_BOOTTIME', 'CLOCK_TAI', 'CLOCK_MONOTONIC_RAW'):\n"
    "    if hasattr(time, name): delattr(time, name)\n"
    "import select\n"
    "for name in ('epoll',):\n"
    "    if hasattr(select, name): delattr(select, name)\n"
    "sys.platform = 'darwin'\n"
    "from relightflow.cli import main\n"
    "sys.exit(main(sys.argv[1:]))\n"
)
RECIPE = """\
version: 1
name: spring
sources: [{type: glob, include: ["*.png"]}]
matrix: {light_direction: [left, right]}
sinks:
  - {type: directory, path: out/}
  - {type: contact-sheet, path: out/sheets/}
  - {type: zip, path: out/}
"""


def test_a_recipe_is_run_and_verified_without_what_only_linux_has(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RECIPE)
    Image.new("RGB", (48, 32), (90, 120, 150)).save(tmp_path / "shoe.png")
    for command in (("plan", "r.yaml"), ("run", "r.yaml"), ("verify", "r.yaml"), ("status",)):
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT, *command],
            cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").glob("*.png"))) == 2
    assert (tmp_path / "out/sheets/shoe.jpg").is_file()
