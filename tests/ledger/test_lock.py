"""The lock, with real processes and real kills."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from relightflow.errors import EarlyStop, StorageError
from relightflow.ledger.lock import acquire
from tests.cli.program import environment

HOLD = """
import sys, time
from pathlib import Path
from relightflow.ledger.lock import acquire
with acquire(Path(sys.argv[1]), "relightflow run, process 4711,"):
    print("held", flush=True)
    sys.stdin.read()
"""
TAKE_TURNS = """
import os, sys
from pathlib import Path
from relightflow.errors import EarlyStop
from relightflow.ledger.lock import acquire
lock, inside = Path(sys.argv[1]), Path(sys.argv[2])
sys.stdin.readline()
had = busy = 0
while had < 25:
    try:
        with acquire(lock, f"process {os.getpid()}"):
            handle = os.open(inside, os.O_CREAT | os.O_EXCL)  # fails if somebody else is inside
            os.close(handle)
            os.sched_yield()
            inside.unlink()
            had += 1
    except EarlyStop as stop:
        busy += 1
        assert "process" in str(stop) or "another run" in str(stop), stop
        os.sched_yield()
print(had)
"""


def take(lock: Path) -> None:
    with acquire(lock, "another"):
        pass


def start(script: str, *arguments: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def test_a_second_process_is_told_who_holds_it_and_does_not_wait(tmp_path: Path) -> None:
    with start(HOLD, tmp_path / "lock") as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(EarlyStop, match="relightflow run, process 4711,") as told:
            take(tmp_path / "lock")
        holder.communicate("")
    assert told.value.exit_code == 75
    assert "nothing was sent" in str(told.value)


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    with start(HOLD, tmp_path / "lock") as holder:
        assert holder.stdout
        holder.stdout.readline()
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
    with acquire(tmp_path / "lock", "the next"):
        pass


def test_eight_processes_are_inside_one_at_a_time(tmp_path: Path) -> None:
    runs = [start(TAKE_TURNS, tmp_path / "lock", tmp_path / "inside") for _ in range(8)]
    for run in runs:
        assert run.stdin
        run.stdin.write("go\n")
        run.stdin.flush()
    ends = [run.communicate(timeout=60) for run in runs]
    assert ends == [("25\n", "")] * 8
    assert not (tmp_path / "inside").exists()


def test_the_holder_is_the_present_one_and_not_a_longer_name_before(tmp_path: Path) -> None:
    with acquire(tmp_path / "lock", "a name that is quite long"):
        pass
    with acquire(tmp_path / "lock", "short"), pytest.raises(EarlyStop, match=r"^short is using"):
        take(tmp_path / "lock")


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="cannot open the lock"):
        take(tmp_path / "lock")
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_that_cannot_be_written_is_a_storage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageError, match="No space left"), acquire(tmp_path / "lock", "we"):
        pass
    monkeypatch.undo()
    with acquire(tmp_path / "lock", "we"):
        pass


@pytest.mark.parametrize("how", ["deleted", "replaced", "moved with its folder"])
def test_a_lock_that_somebody_takes_away_is_noticed(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with acquire(folder / "lock", "we") as held:
        assert not held.lost
        if how == "moved with its folder":
            folder.rename(tmp_path / "elsewhere")
        else:
            (folder / "lock").unlink()
        if how == "replaced":
            (folder / "lock").touch()
        assert held.lost


def test_deleting_the_lock_file_lets_no_second_process_in(tmp_path: Path) -> None:
    with start(HOLD, tmp_path / "lock") as holder:
        assert holder.stdout
        holder.stdout.readline()
        (tmp_path / "lock").unlink()
        with pytest.raises(EarlyStop, match="another run is using"):
            take(tmp_path / "lock")
        holder.communicate("")
    take(tmp_path / "lock")


def test_a_file_system_that_cannot_lock_a_folder_is_guarded_by_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fcntl.flock

    def files_only(handle: int, how: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        whole(handle, how)

    monkeypatch.setattr(fcntl, "flock", files_only)
    with acquire(tmp_path / "lock", "we"), pytest.raises(EarlyStop, match=r"^we is using"):
        take(tmp_path / "lock")
