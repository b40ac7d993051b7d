from __future__ import annotations

import json
from pathlib import Path

import pytest

from relightflow.sources.etags import Etags
from relightflow.sources.file_index import Known

KNOWN = Known("ab" * 32, 10, 4, 3, "image/png")


def _filled(folder: Path) -> Etags:
    etags = Etags(folder, "s3://b/")
    etags.load()
    etags.add("a.png", '"1"', KNOWN)
    etags.save()
    return etags


def _again(folder: Path, place: str = "s3://b/") -> Etags:
    etags = Etags(folder, place)
    etags.load()
    return etags


def test_an_untouched_object_is_known_to_the_next_scan(tmp_path: Path) -> None:
    _filled(tmp_path)
    assert _again(tmp_path).find("a.png", '"1"', 10) == KNOWN


@pytest.mark.parametrize(("etag", "size"), [('"2"', 10), ('"1"', 11), ("", 10)])
def test_another_etag_or_size_is_another_object(tmp_path: Path, etag: str, size: int) -> None:
    _filled(tmp_path)
    assert _again(tmp_path).find("a.png", etag, size) is None


def test_another_place_has_its_own_notes(tmp_path: Path) -> None:
    _filled(tmp_path)
    assert _again(tmp_path, "s3://c/").find("a.png", '"1"', 10) is None


def test_what_a_scan_did_not_see_is_forgotten(tmp_path: Path) -> None:
    _filled(tmp_path)
    etags = _again(tmp_path)
    etags.add("b.png", '"3"', KNOWN)
    etags.save()
    assert [name for name, *_ in _again(tmp_path).known()] == ["b.png"]


@pytest.mark.parametrize(
    "row",
    [
        [1, "ab" * 32, 10, 4, 3, "image/png"],
        ['"1"', "abcd", 10, 4, 3, "image/png"],
        ['"1"', "ab" * 32, 10, 0, 3, "image/png"],
        ['"1"', "ab" * 32, 10, 4, 3, "text/html"],
        ['"1"'],
        None,
    ],
)
def test_damaged_notes_are_no_notes(tmp_path: Path, row: object) -> None:
    _filled(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text(json.dumps({"version": 1, "objects": {"a.png": row}}))
    assert _again(tmp_path).find("a.png", '"1"', 10) is None
