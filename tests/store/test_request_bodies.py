from __future__ import annotations

import os
from pathlib import Path

import pytest

from relightflow.errors import StorageError
from relightflow.store.request_bodies import RequestBodies

NAME, OTHER = "a" * 32, "b" * 32


def test_a_body_is_kept_privately_to_the_byte_until_it_is_forgotten(tmp_path: Path) -> None:
    bodies = RequestBodies(tmp_path / "calls")
    assert bodies.read(NAME) is None
    bodies.keep(NAME, b"\0body")
    assert bodies.read(NAME) == b"\0body"
    assert (tmp_path / "calls").stat().st_mode & 0o77 == 0
    assert (tmp_path / "calls" / NAME).stat().st_mode & 0o77 == 0
    bodies.forget(NAME)
    bodies.forget(NAME)
    assert bodies.read(NAME) is None


def test_a_sweep_leaves_what_is_needed_and_what_is_no_body(tmp_path: Path) -> None:
    bodies = RequestBodies(tmp_path / "calls")
    bodies.sweep(())
    bodies.keep(NAME, b"1")
    bodies.keep(OTHER, b"2")
    (tmp_path / "calls" / "notes").write_text("mine")
    bodies.sweep({OTHER})
    assert sorted(os.listdir(tmp_path / "calls")) == [OTHER, "notes"]


def test_a_disk_that_refuses_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "calls").write_text("a file in the way")
    with pytest.raises(StorageError, match="nothing was sent"):
        RequestBodies(tmp_path / "calls").keep(NAME, b"1")


def test_names_that_are_none_and_links_lead_nowhere(tmp_path: Path) -> None:
    bodies = RequestBodies(tmp_path / "calls")
    bodies.keep(NAME, b"1")
    (tmp_path / "secret").write_text("s")
    (tmp_path / "calls" / OTHER).symlink_to(tmp_path / "secret")
    assert bodies.read("../secret") is None
    with pytest.raises(StorageError):
        bodies.read(OTHER)
