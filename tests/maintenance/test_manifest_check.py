"""A committed manifest and the images beside it agree, or it is said where not."""

from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.errors import Exit, RefusedError, UsageError
from relightflow.maintenance.manifest_check import check_manifest
from tests.conftest import Stage

SINK = {"type": "directory", "path": "out/", "name": "{image.stem}-{shade}.{ext}"}


@pytest.fixture
def manifest(stage: Stage) -> Path:
    stage.recipe([0, 1], sinks=[SINK])
    stage.run()
    return stage.out / "manifest.jsonl"


def test_a_manifest_and_its_files_agree(manifest: Path) -> None:
    found = check_manifest(manifest)
    assert (found.files, found.exit) == (2, Exit.OK)


def test_changed_and_missing_files_are_named(manifest: Path) -> None:
    (manifest.parent / "a-0.png").write_bytes(b"x")
    (manifest.parent / "a-1.png").unlink()
    found = check_manifest(manifest)
    assert (found.changed, found.gone, found.exit) == (("a-0.png",), ("a-1.png",), Exit.JOBS_FAILED)


def test_a_copy_in_another_format_is_checked_by_its_own_bytes(stage: Stage) -> None:
    stage.recipe([0], sinks=[{**SINK, "format": "webp"}])
    stage.run()
    assert check_manifest(stage.out / "manifest.jsonl").exit is Exit.OK


def test_a_link_in_the_place_of_an_image_is_a_change(manifest: Path) -> None:
    image = manifest.parent / "a-0.png"
    image.rename(manifest.parent / "other.png")
    image.symlink_to("other.png")
    assert check_manifest(manifest).changed == ("a-0.png",)


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../b"])
def test_a_path_that_leads_out_of_the_folder_is_refused(manifest: Path, path: str) -> None:
    manifest.write_text(manifest.read_text().replace('"path":"a-0.png"', f'"path":"{path}"'))
    with pytest.raises(RefusedError):
        check_manifest(manifest)


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json"])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.jsonl").write_text(text)
    with pytest.raises(UsageError, match="not a manifest"):
        check_manifest(tmp_path / "manifest.jsonl")
