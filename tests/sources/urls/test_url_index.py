from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.sources.file_index import Known
from relightflow.sources.urls import url_index
from relightflow.sources.urls.url_index import FILE, Remembered, UrlIndex, key

KNOWN = Known("ab" * 32, 5, 8, 6, "image/png")
ONE = Remembered(KNOWN, '"etag"', "Mon, 02 Mar 2026 12:00:00 GMT", "")
A, B = key("https://a.example/?SECRET"), key("https://b.example/")


def loaded(folder: Path, *keys: bytes) -> UrlIndex:
    found = UrlIndex(folder)
    found.load(keys)
    return found


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    new = loaded(tmp_path, A, B)
    new.add(A, ONE)
    new.add(B, Remembered(KNOWN, final="cd" * 16))
    new.save()
    return tmp_path


def test_what_was_found_is_known_to_the_next(filled: Path) -> None:
    again = loaded(filled, A, B)
    assert again.find(A) == ONE
    assert again.find(B) == Remembered(KNOWN, final="cd" * 16)


def test_no_address_is_written(filled: Path) -> None:
    text = (filled / FILE).read_text()
    assert "SECRET" not in text
    assert "example" not in text
    assert (filled / FILE).stat().st_mode & 0o777 == 0o600


def test_other_addresses_stay_in_the_file_and_out_of_memory(filled: Path) -> None:
    one = loaded(filled, A)
    assert one.find(B) is None
    one.add(A, Remembered(KNOWN))
    one.save()
    assert loaded(filled, B).find(B) == Remembered(KNOWN, final="cd" * 16)


def test_what_proved_wrong_is_forgotten(filled: Path) -> None:
    one = loaded(filled)
    one.forget(A)
    one.save()
    again = loaded(filled, A, B)
    assert (again.find(A), again.find(B) is None) == (None, False)


def test_nothing_new_writes_nothing(filled: Path) -> None:
    before = (filled / FILE).stat().st_ino
    again = loaded(filled, A)
    again.add(A, ONE)
    again.save()
    assert (filled / FILE).stat().st_ino == before


def test_the_file_is_bounded_and_the_latest_stay(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(url_index, "MOST", 2)
    new = key("https://c.example/")
    one = loaded(filled, new)
    one.add(new, ONE)
    one.save()
    again = loaded(filled, A, B, new)
    assert again.find(new) == ONE
    assert len((filled / FILE).read_text().splitlines()) == 3


@pytest.mark.parametrize(
    "rest",
    [
        b"]",
        b',"zz",5,8,6,"image/png","","",""]',
        b',"' + b"ab" * 32 + b'",0,8,6,"image/png","","",""]',
        b',"' + b"ab" * 32 + b'","5",8,6,"image/png","","",""]',
        b',"' + b"ab" * 32 + b'",5,8,6,"text/html","","",""]',
        b',"' + b"ab" * 32 + b'",5,8,6,"image/png","a\\r\\nX: y","",""]',
        b',"' + b"ab" * 32 + b'",5,8,6,"image/png",1,"",""]',
        b',"../../../etc",5,8,6,"image/png","","",""]',
        b"," + b"[" * 100_000,
        b"\xff\xff",
    ],
)
def test_a_damaged_line_is_dropped(filled: Path, rest: bytes) -> None:
    (filled / FILE).write_bytes(b'{"version":1}\n["' + A.hex().encode() + b'"' + rest + b"\n")
    assert loaded(filled, A).find(A) is None


def test_a_file_of_another_version_is_not_read(filled: Path) -> None:
    path = filled / FILE
    path.write_bytes(path.read_bytes().replace(b":1}", b":2}", 1))
    assert loaded(filled, A).find(A) is None


def test_a_validator_that_could_split_a_header_is_not_remembered(tmp_path: Path) -> None:
    one = loaded(tmp_path, A)
    one.add(A, Remembered(KNOWN, "a\r\nX: y"))
    assert one.find(A) == Remembered(KNOWN)
    one.add(A, Remembered(KNOWN, "x" * 600))
    assert one.find(A) == Remembered(KNOWN)


def test_without_a_folder_nothing_is_written_and_all_works() -> None:
    one = UrlIndex(None)
    one.load([A])
    one.add(A, ONE)
    one.save()
    assert one.find(A) == ONE
