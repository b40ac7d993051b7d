from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.executors.shared_blobs import SharedBlobs
from relightflow.plugins.executor import TaskRefused
from relightflow.store.staged import Staged
from tests.scripted_backend import png


@pytest.fixture
def shared(tmp_path: Path) -> SharedBlobs:
    (tmp_path / "tmp-workers-1").touch()
    return SharedBlobs(tmp_path, "tmp-workers-1")


def test_a_new_result_is_put_there_with_its_facts(shared: SharedBlobs) -> None:
    staged = shared.stage(png("a"))
    assert isinstance(staged, Staged)
    assert (staged.width, staged.height, staged.media_type) == (2, 2, "image/png")
    assert staged.is_there(shared.root)


def test_what_is_no_image_is_given_back_instead(shared: SharedBlobs) -> None:
    assert shared.stage(b"<html>") == b"<html>"
    assert [path.name for path in shared.root.iterdir()] == ["tmp-workers-1"]


def test_a_worker_with_another_folder_of_the_same_name_writes_nothing(tmp_path: Path) -> None:
    other = SharedBlobs(tmp_path, "tmp-workers-2")
    with pytest.raises(TaskRefused, match="does not see"):
        other.stage(png("a"))
    with pytest.raises(TaskRefused, match="does not see"):
        other.read("0" * 64)
    assert not list(tmp_path.iterdir())


def test_a_result_that_is_missing_or_damaged_is_the_other_side_s_business(
    shared: SharedBlobs,
) -> None:
    with pytest.raises(TaskRefused, match="could not read a result"):
        shared.read("0" * 64)
