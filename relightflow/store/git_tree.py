"""The files of a repository as they were at a commit, laid out in a folder, to plan against.

What git tracks and has not changed since is linked from the work tree, the rest comes from git's own
objects, and images that git does not track are taken as they are now. git is run with plumbing commands
only: no hook, no file-system monitor, no network, and nothing is written to the work tree or the index.
Git LFS pointers are followed to objects that are here already.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from relightflow.errors import UsageError

_GIT = (
    "git", "--no-replace-objects", "--literal-pathspecs",
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never",
    "-c", "core.quotePath=false",
)  # fmt: skip
_UNTRACKED = (".jpg", ".jpeg", ".png", ".webp", ".txt", ".csv", ".tsv", ".json", ".jsonl")
"""What a source may read of what git does not track: images, lists, manifests."""
_LINK = b"120000"
_FILES = (b"100644", b"100755")
_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\n")
_REF = re.compile(r"[^\s\0-][^\s\0]{0,250}")


@dataclass(frozen=True, slots=True)
class Tree:
    """The files at a commit."""

    root: Path
    """Where they are laid out; as if it were the repository."""
    commit: str
    missing: int
    """Images kept in Git LFS whose bytes are not here."""


@contextmanager
def laid_out(repository: Path, ref: str) -> Iterator[Tree]:
    """The files of `repository` (its root) at `ref`, until the block ends.

    Raises UsageError where git does not know `ref`, or there is no git.
    """
    if not _REF.fullmatch(ref):
        raise UsageError(f"--against {ref!r} is not the name of a commit")
    try:
        found = _run(repository, "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    except subprocess.CalledProcessError:
        raise UsageError(
            f"--against {ref}: git knows no such commit in {repository}; fetch it first, as in "
            "'git fetch origin main' (in CI: with the history, such as fetch-depth: 0)"
        ) from None
    commit = found.decode("ascii", "replace").strip()
    store = Path(os.fsdecode(_run(repository, "rev-parse", "--git-common-dir").rstrip(b"\n")))
    folder = _folder(repository / store)
    try:
        (folder / ".git").mkdir()  # so that it is a project of its own
        yield Tree(folder, commit, _lay_out(repository, commit, folder, repository / store / "lfs"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folder(beside: Path) -> Path:
    """A new folder, on the repository's own disk if it may be written to, so that files can be linked."""
    with suppress(OSError):
        return Path(os.path.realpath(tempfile.mkdtemp(prefix="relightflow-", dir=beside)))
    return Path(os.path.realpath(tempfile.mkdtemp(prefix="relightflow-")))


def _lay_out(repository: Path, commit: str, folder: Path, lfs: Path) -> int:
    """How many LFS objects are missing."""
    changed = {*_names(_run(repository, "diff-index", "--name-only", "-z", commit, "--"))}
    wanted: list[tuple[bytes, bytes, str]] = []
    for entry in _run(repository, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        facts, _, name = entry.partition(b"\t")
        path = os.fsdecode(name)
        mode, _, blob = facts.partition(b" blob ")
        if not blob or not _is_plain(path) or mode not in (_LINK, *_FILES):
            continue
        if path in changed or mode == _LINK or not _linked(repository / path, folder / path):
            wanted.append((mode, blob, path))
    for path in _names(_run(repository, "ls-files", "--others", "-z")):
        if path.lower().endswith(_UNTRACKED) and _is_plain(path):
            _linked(repository / path, folder / path)
    return _write(repository, wanted, folder, lfs)


def _names(listed: bytes) -> Iterable[str]:
    return (os.fsdecode(name) for name in listed.split(b"\0") if name)


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    return not {"", ".", "..", ".git", ".relightflow"} & {*parts}


def _linked(here: Path, there: Path) -> bool:
    """Whether `there` now has the bytes of the regular file `here`."""
    if here.is_symlink() or not here.is_file():
        return False
    there.parent.mkdir(parents=True, exist_ok=True)
    try:
        there.hardlink_to(here)
    except OSError:  # another disk, or a file system without links
        try:
            shutil.copyfile(here, there, follow_symlinks=False)
        except OSError:
            return False
    return True


def _write(
    repository: Path, wanted: list[tuple[bytes, bytes, str]], folder: Path, lfs: Path
) -> int:
    missing = 0
    asked = b"".join(blob + b"\n" for _, blob, _ in wanted)
    with tempfile.TemporaryFile() as answers:
        _run(repository, "cat-file", "--batch", asked=asked, into=answers)
        answers.seek(0)
        for mode, _, path in wanted:
            size = int(answers.readline().split()[2])
            data = answers.read(size)
            answers.read(1)
            there = folder / path
            there.parent.mkdir(parents=True, exist_ok=True)
            pointer = _POINTER.match(data) if size < 1024 else None
            if mode == _LINK:
                there.symlink_to(os.fsdecode(data))
            elif pointer and _linked(_object(lfs, pointer[1].decode()), there):
                continue
            else:
                missing += bool(pointer)
                there.write_bytes(data)
    return missing


def _object(lfs: Path, oid: str) -> Path:
    return lfs / "objects" / oid[:2] / oid[2:4] / oid


def _run(folder: Path, *arguments: str, asked: bytes = b"", into: object = None) -> bytes:
    """What git prints. Raises CalledProcessError, and UsageError without git."""
    environment = {
        **os.environ,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    output = {"stdout": into} if into else {"stdout": subprocess.PIPE}
    try:
        done = subprocess.run(  # noqa: S603  # git, with plumbing commands and no shell
            [*_GIT, *arguments], cwd=folder, input=asked, env=environment,
            stderr=subprocess.PIPE, check=True, **output,
        )  # fmt: skip
    except FileNotFoundError:
        raise UsageError("--against a commit needs git, which is not installed") from None
    return done.stdout or b""
