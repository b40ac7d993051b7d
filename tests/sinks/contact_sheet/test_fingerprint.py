from __future__ import annotations

import io

import PIL.Image
import pytest

from relightflow.sinks.contact_sheet.fingerprint import matches, with_fingerprint

SHOWS = "ab" * 32


@pytest.fixture(params=["JPEG", "PNG"])
def body(request: pytest.FixtureRequest) -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (40, 30), (200, 100, 50)).save(out, request.param)
    return out.getvalue()


def test_a_sealed_file_matches_what_it_shows_and_nothing_else(body: bytes) -> None:
    assert matches(with_fingerprint(body, SHOWS), SHOWS)
    assert not matches(with_fingerprint(body, SHOWS), "cd" * 32)


def test_a_sealed_file_is_still_the_same_image(body: bytes) -> None:
    with PIL.Image.open(io.BytesIO(with_fingerprint(body, SHOWS))) as image:
        image.load()
        with PIL.Image.open(io.BytesIO(body)) as plain:
            assert image.tobytes() == plain.tobytes()


def test_any_changed_or_missing_byte_breaks_the_seal(body: bytes) -> None:
    data = with_fingerprint(body, SHOWS)
    for at in range(0, len(data), 7):
        assert not matches(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], SHOWS)
    assert not matches(data[:-1], SHOWS)
    assert not matches(body, SHOWS)


@pytest.mark.parametrize("data", [b"", b"\x89PNG", b"\xff\xd8", b"text"])
def test_other_files_do_not_match(data: bytes) -> None:
    assert not matches(data, SHOWS)
