import os
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from relightflow.errors import UsageError
from relightflow.store.git_tree import laid_out


class Repository:
    """A real one, with a commit made by `commit`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "me")
        self.git("config", "user.email", "me@example.com")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def put(self, name: str, data: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", "one")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.put("recipes/a.yaml", b"one")
    made.put("photos/same.png", b"same")
    made.put("photos/changed.png", b"before")
    made.put("photos/gone.png", b"gone")
    made.put(".gitignore", b"local/\nsecret.key\n")
    made.commit()
    return made


def files(root: Path) -> dict[str, bytes]:
    found = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def test_files_are_as_they_were(repository: Repository) -> None:
    commit = repository.git("rev-parse", "HEAD")
    repository.put("recipes/a.yaml", b"two")
    repository.put("photos/changed.png", b"after")
    repository.put("photos/added.png", b"added")
    (repository.root / "photos/gone.png").unlink()
    repository.commit()
    repository.put("photos/same.png", b"edited and not committed")
    status = repository.git("status", "--porcelain")
    with laid_out(repository.root, "main~1") as tree:
        assert tree.commit == commit
        assert files(tree.root) == {
            ".gitignore": b"local/\nsecret.key\n",
            "recipes/a.yaml": b"one",
            "photos/same.png": b"same",
            "photos/changed.png": b"before",
            "photos/gone.png": b"gone",
        }
    assert not tree.root.exists()
    assert repository.git("status", "--porcelain") == status
    assert (repository.root / "photos/same.png").read_bytes() == b"edited and not committed"


def test_images_that_git_does_not_track_are_taken_as_they_are(repository: Repository) -> None:
    repository.put("local/photo.JPG", b"local")
    repository.put("secret.key", b"key")
    repository.put(".relightflow/blobs/x.png", b"state")
    with laid_out(repository.root, "HEAD") as tree:
        found = files(tree.root)
    assert found["local/photo.JPG"] == b"local"
    assert not {"secret.key", ".relightflow/blobs/x.png"} & {*found}


def test_what_did_not_change_is_linked_and_not_copied(repository: Repository) -> None:
    with laid_out(repository.root, "HEAD") as tree:
        assert (tree.root / "photos/same.png").samefile(repository.root / "photos/same.png")


def test_links_stay_links(repository: Repository) -> None:
    (repository.root / "photos/link.png").symlink_to("same.png")
    repository.commit()
    with laid_out(repository.root, "HEAD") as tree:
        assert os.readlink(tree.root / "photos/link.png") == "same.png"


def test_a_worktree_of_the_repository_can_be_compared_too(
    repository: Repository, tmp_path: Path
) -> None:
    repository.git("worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
    (tmp_path / "other" / "recipes" / "a.yaml").write_bytes(b"two")
    with laid_out(tmp_path / "other", "main") as tree:
        assert files(tree.root)["recipes/a.yaml"] == b"one"


@pytest.mark.parametrize("here", [True, False])
def test_an_lfs_pointer_is_followed_to_an_object_that_is_here(
    repository: Repository, here: bool
) -> None:
    image = b"a large image"
    oid = sha256(image).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 13\n".encode()
    path = repository.put("photos/large.png", pointer)
    repository.commit()
    path.write_bytes(b"changed since")
    if here:
        repository.put(f".git/lfs/objects/{oid[:2]}/{oid[2:4]}/{oid}", image)
    with laid_out(repository.root, "HEAD") as tree:
        assert files(tree.root)["photos/large.png"] == (image if here else pointer)
        assert tree.missing == (0 if here else 1)


def test_hooks_and_monitors_of_the_repository_are_not_run(
    repository: Repository, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    program.chmod(0o755)
    repository.git("config", "core.fsmonitor", str(program))
    repository.git("config", "core.hooksPath", str(tmp_path))
    repository.put("photos/changed.png", b"after")
    with laid_out(repository.root, "HEAD"):
        pass
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("ref", ["nothing", "--help", "-x", "", "a b", "HEAD\0"])
def test_a_commit_that_git_does_not_know_is_told(repository: Repository, ref: str) -> None:
    with pytest.raises(UsageError, match="--against"), laid_out(repository.root, ref):
        pass
