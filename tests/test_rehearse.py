"""recipes/rehearse.sh: a paid recipe from beginning to end, at no cost, with nothing left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from relightflow.testing import sample_image_bytes

RECIPES = Path(__file__).parents[1] / "recipes"


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_rehearsal_buys_nothing_and_leaves_no_process_and_no_state(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.png").write_bytes(sample_image_bytes())
    shutil.copy(RECIPES / "paid.yaml", tmp_path)
    command = tmp_path / "bin/relightflow"
    command.parent.mkdir()
    started = tmp_path / "started"
    command.write_text(
        f'#!/bin/sh\necho $$ >>"{started}"\nexec "{sys.executable}" -m relightflow "$@"\n'
    )
    command.chmod(0o755)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if "RELIGHTFLOW" not in name},
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(RECIPES.parent),
        "TMPDIR": str(scratch),
    }
    for _ in range(2):  # another rehearsal replaces what the first one made
        done = subprocess.run(
            [RECIPES / "rehearse.sh", "paid.yaml"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert "6 calls that a provider would have billed; nothing was spent" in done.stdout
        assert len(list(tmp_path.glob("out/rehearsal/paid/a/*.*"))) == 6
        assert not (tmp_path / "out/paid").exists()
    assert not [pid for pid in map(int, started.read_text().split()) if is_alive(pid)]
    assert not [*scratch.iterdir(), *tmp_path.glob(".relightflow")]


STAND_IN = """\
[ "$1" = run ] && exit 3
>"$9"
echo listening on http://127.0.0.1:1
exec sleep 60"""
"""A run that fails, and an emulator whose bill stays empty."""


def _copied(folder: Path, *, runs: str = "") -> subprocess.CompletedProcess[str]:
    """What the script says in a clone where `relightflow` is not on PATH; `runs`: what the clone's own is."""
    for name in ("rehearse.sh", "paid.yaml"):
        (folder / "recipes").mkdir(exist_ok=True)
        shutil.copy(RECIPES / name, folder / "recipes")
    if runs:
        command = folder / ".venv/bin/relightflow"
        command.parent.mkdir(parents=True)
        command.write_text(f"#!/bin/sh\n{runs}\n")
        command.chmod(0o755)
    return subprocess.run(
        [folder / "recipes/rehearse.sh", folder / "recipes/paid.yaml"],
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
    )


def test_without_an_activated_environment_the_clone_s_own_is_used(tmp_path: Path) -> None:
    clone = tmp_path / "a clone"
    clone.mkdir()
    done = _copied(clone, runs=STAND_IN)
    assert done.returncode == 3, done.stderr
    assert "0 calls that a provider would have billed" in done.stdout


def test_without_any_relightflow_the_rehearsal_says_what_to_do(tmp_path: Path) -> None:
    done = _copied(tmp_path)
    assert (done.returncode, done.stdout) == (127, "")
    assert f"neither on PATH nor in {tmp_path}/.venv/bin; nothing was started" in done.stderr
    assert f"make -C '{tmp_path}' demo" in done.stderr
