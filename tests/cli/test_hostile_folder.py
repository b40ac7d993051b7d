"""A project that came from a stranger, its state folder with it: real processes, files outside watched."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from relightflow.testing import sample_image_bytes
from tests.cli.program import Relightflow

RECIPE = """version: 1
name: spring
sources: [{type: glob, include: ["*.png"]}]
backend: {type: preview}
matrix: {light_direction: [left, right]}
sinks: [{type: directory, path: out}]
"""
COMMANDS = (
    ("run", "spring.yaml"),
    ("plan", "spring.yaml"),
    ("status",),
    ("verify", "spring.yaml"),
    ("gc", "spring.yaml", "--delete"),
    ("resolve",),
    ("rebuild",),
)


@pytest.fixture
def project(relightflow: Relightflow, tmp_path: Path) -> Path:
    """After a finished run; `mine` beside it belongs to the victim."""
    (tmp_path / "spring.yaml").write_text(RECIPE)
    (tmp_path / "a.png").write_bytes(sample_image_bytes(1))
    assert relightflow("run", "spring.yaml").returncode == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/.bashrc").write_text("# mine\n")
    return tmp_path


def _link(part: str, target: str) -> Callable[[Path], None]:
    def lay(project: Path) -> None:
        path = project / ".relightflow" / part
        if path.is_dir():
            path.rename(project / "moved")
        path.unlink(missing_ok=True)
        path.symlink_to(project / target)

    return lay


def _pipe(part: str) -> Callable[[Path], None]:
    def lay(project: Path) -> None:
        path = project / ".relightflow" / part
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return lay


def _sql(*statements: str) -> Callable[[Path], None]:
    def lay(project: Path) -> None:
        path = project / ".relightflow/ledger.sqlite3"
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)

    return lay


def _tracked(project: Path) -> None:
    for command in (["init", "-q"], ["add", "--force", ".relightflow"]):
        subprocess.run(["git", *command], cwd=project, check=True)


TRAPS = {
    "the index is a start-up file": _link("blobs/index.jsonl", "mine/.bashrc"),
    "the lock is a start-up file": _link("lock", "mine/.bashrc"),
    "the ledger is somebody's file": _link("ledger.sqlite3", "mine/.bashrc"),
    "its -wal is somebody's file": _link("ledger.sqlite3-wal", "mine/.bashrc"),
    "blobs lead elsewhere": _link("blobs", "mine"),
    "blobs of two letters lead elsewhere": _link("blobs/zz", "mine"),
    "kept bytes lead elsewhere": _link("blobs/aside", "mine"),
    "runs lead elsewhere": _link("runs", "mine"),
    "a run leads elsewhere": _link("runs/99999999T000000Z-x", "mine"),
    "the cache leads elsewhere": _link("cache", "mine"),
    "the state leads elsewhere": _link("", "mine"),
    "the ledger is a pipe": _pipe("ledger.sqlite3"),
    "the index is a pipe": _pipe("blobs/index.jsonl"),
    "the lock is a pipe": _pipe("lock"),
    "a trigger": _sql(
        "CREATE TRIGGER t AFTER INSERT ON run BEGIN UPDATE attempt SET cost = 0; END"
    ),
    "a view without end": _sql(
        "DROP TABLE memory",
        "CREATE VIEW memory AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
        " SELECT x AS backend, x AS key, x AS value FROM c",
    ),
    "git tracks it": _tracked,
}
RUNS_ALONE = (
    "a trigger",
    "a view without end",
    "the ledger is a pipe",
    "the ledger is somebody's file",
)


def _outside(project: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path): (path.read_text(), path.stat().st_mtime_ns)
        for path in sorted((project / "mine").rglob("*"))
    }


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_refused_by_every_command_and_nothing_outside_changes(
    project: Path, relightflow: Relightflow, trap: str
) -> None:
    TRAPS[trap](project)
    before = _outside(project)
    for command in COMMANDS:
        done = relightflow(*command)
        if command == ("rebuild",) and trap in RUNS_ALONE:
            assert done.returncode in (2, 9)  # it moves no ledger away by itself
        else:
            assert done.returncode == 9, (command, done.stderr)
        assert "Traceback" not in done.stderr
        assert "othing was sent" in done.stderr or done.returncode == 2
    assert _outside(project) == before


def test_a_blob_that_is_a_link_is_no_blob(project: Path, relightflow: Relightflow) -> None:
    """A result is made again, in the place of the link; what it led to stays as it is."""
    blob = next(path for path in project.glob(".relightflow/blobs/??/*"))
    blob.rename(project / "mine/image")
    blob.symlink_to(project / "mine/image")
    for path in (project / "out").iterdir():
        path.unlink()
    before = (project / "mine/image").stat().st_mtime_ns
    relightflow("run", "spring.yaml")
    assert relightflow("run", "spring.yaml").returncode == 0
    assert not blob.is_symlink()
    assert (project / "mine/image").stat().st_mtime_ns == before


def test_the_name_of_a_blob_leads_nowhere_else(project: Path, relightflow: Relightflow) -> None:
    target = project / "mine/.bashrc"
    with closing(
        sqlite3.connect(project / ".relightflow/ledger.sqlite3", isolation_level=None)
    ) as db:
        db.execute("UPDATE attempt SET blob = ?", (f"../../../mine/{target.name}",))
    for command in COMMANDS:
        assert "Traceback" not in relightflow(*command).stderr
    assert target.read_text() == "# mine\n"
