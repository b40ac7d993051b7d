from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from relightflow.errors import RefusedError
from relightflow.store import atomic
from relightflow.store.atomic import write_atomic


@pytest.fixture(params=["unnamed", "named"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of making the new file: with O_TMPFILE, and where a file system has none."""
    if request.param == "named":
        monkeypatch.setattr(atomic, "_TMPFILE", 0)


pytestmark = pytest.mark.usefixtures("_way")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("durable", [False, True])
def test_writes_the_bytes_and_makes_the_folders(tmp_path: Path, durable: bool) -> None:
    facts = write_atomic(tmp_path / "new", "a/b/c.bin", b"image", durable=durable)
    path = tmp_path / "new/a/b/c.bin"
    assert path.read_bytes() == b"image"
    assert (facts.st_size, facts.st_mtime_ns, facts.st_ino) == (
        5,
        path.stat().st_mtime_ns,
        path.stat().st_ino,
    )
    assert names(path.parent) == {"c.bin"}


def test_replaces_a_file_by_a_new_one_and_leaves_nothing_else(tmp_path: Path) -> None:
    write_atomic(tmp_path, "x", b"old", durable=False)
    with (tmp_path / "x").open("rb") as reader:
        write_atomic(tmp_path, "x", b"new, longer", durable=False)
        assert reader.read() == b"old", "a reader of the old file keeps the old file"
    assert (tmp_path / "x").read_bytes() == b"new, longer"
    assert names(tmp_path) == {"x"}


def test_pieces_are_written_one_after_the_other(tmp_path: Path) -> None:
    write_atomic(tmp_path, "x", iter([b"one ", b"", b"two"]), durable=False)
    assert (tmp_path / "x").read_bytes() == b"one two"


def test_private_files_and_folders_are_for_the_owner_only(tmp_path: Path) -> None:
    write_atomic(tmp_path, "a/x", b"secret", durable=False, private=True)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a/x").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a/../../x", "", "a//b", "./x", "a/", "x\0y", "..", "."]
)
def test_refuses_a_path_that_is_not_plain(tmp_path: Path, path: str) -> None:
    with pytest.raises(RefusedError):
        write_atomic(tmp_path / "base", path, b"x", durable=False)
    assert names(tmp_path) <= {"base"}


def test_refuses_a_link_to_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "base").mkdir()
    (tmp_path / "base/a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match="symbolic link 'a'"):
        write_atomic(tmp_path / "base", "a/x", b"x", durable=False)
    assert names(tmp_path / "elsewhere") == set()


@pytest.mark.parametrize("target", ["victim", "nowhere"])
def test_refuses_a_link_in_the_place_of_the_file(tmp_path: Path, target: str) -> None:
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / "base").mkdir()
    (tmp_path / "base/x").symlink_to(tmp_path / target)
    with pytest.raises(RefusedError, match="symbolic link 'x'"):
        write_atomic(tmp_path / "base", "x", b"x", durable=False)
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert names(tmp_path / "base") == {"x"}


def test_a_base_reached_through_a_link_is_the_operators_own_choice(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "base").symlink_to(tmp_path / "real")
    write_atomic(tmp_path / "base", "x", b"x", durable=False)
    assert names(tmp_path / "real") == {"x"}


def test_a_file_where_a_folder_is_needed_is_an_oserror_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="'a'"):
        write_atomic(tmp_path, "a/x", b"x", durable=False)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_atomic(tmp_path, "x", b"old", durable=False)

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise OSError(errno.EIO, "the reader's disk failed")

    with pytest.raises(OSError, match="disk failed"):
        write_atomic(tmp_path, "x", pieces(), durable=False)
    assert (tmp_path / "x").read_bytes() == b"old"
    assert names(tmp_path) == {"x"}


def test_a_file_larger_than_allowed_is_an_oserror_and_leaves_nothing(tmp_path: Path) -> None:
    """A real refusal by the kernel, as a full disk would be: the limit of the process."""
    code = (
        "import resource, signal, sys\n"
        "from relightflow.store import atomic\n"
        f"atomic._TMPFILE = {atomic._TMPFILE}\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    atomic.write_atomic(sys.argv[1], 'x', b'x' * 10000, durable=False)\n"
        "except OSError as error:\n"
        "    print(error.errno)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == str(errno.EFBIG)
    assert names(tmp_path) == set()


def test_several_threads_on_one_name_leave_one_whole_file(tmp_path: Path) -> None:
    contents = [bytes([n]) * 50_000 for n in range(8)]
    threads = [
        threading.Thread(target=write_atomic, args=(tmp_path, "a/x", c), kwargs={"durable": False})
        for c in contents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a/x").read_bytes() in contents
    assert names(tmp_path / "a") == {"x"}


def test_a_kill_in_the_middle_shows_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from relightflow.store import atomic\n"
        f"atomic._TMPFILE = {atomic._TMPFILE}\n"
        "print(flush=True)\n"
        "n = 0\n"
        "while True:\n"
        "    atomic.write_atomic(sys.argv[1], 'x', bytes([n % 256]) * 300_000, durable=False)\n"
        "    n += 1\n"
    )
    write_atomic(tmp_path, "x", b"\0" * 300_000, durable=False)
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE) as p:
            assert p.stdout is not None
            p.stdout.readline()
            inode = os.stat(tmp_path / "x").st_ino
            while os.stat(tmp_path / "x").st_ino == inode:
                pass  # the first replacement has been made: the writer is at it
            p.send_signal(signal.SIGKILL)
        data = (tmp_path / "x").read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1
