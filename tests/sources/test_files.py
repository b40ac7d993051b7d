from __future__ import annotations

import os
from pathlib import Path

import pytest

from relightflow.images import BadImage
from relightflow.sources import files


def test_a_pipe_that_takes_a_files_place_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadImage, match="not a regular file"):
        files.bytes_of(str(tmp_path / "pipe"))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(OSError, match="symbolic"):
        files.bytes_of(str(tmp_path / "link"))
