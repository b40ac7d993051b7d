from __future__ import annotations

import pytest

from relightflow.images.foreign import refused


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"GIF89a" + b"\x00" * 20, "GIF"),
        (b"BM" + b"\x00" * 40, "BMP"),
        (b"II*\x00" + b"\x00" * 40, "TIFF"),
        (b"MM\x00+" + b"\x00" * 40, "TIFF"),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 20, "HEIC"),
        (b"\x00\x00\x00\x18ftypavif" + b"\x00" * 20, "AVIF"),
        (b"\x00\x00\x00\x18ftypcrx " + b"\x00" * 20, "a camera raw file"),
        (b"\x00\x00\x00\x18ftypisom" + b"\x00" * 20, "a video"),
        (b"\xff\x0a" + b"\x00" * 20, "JPEG XL"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04" + b"\x00" * 20, "a ZIP archive"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "SVG"),
        (b'<?xml version="1.0"?><feed>', "XML"),
        (b"<HTML>", "HTML"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b'{"error": "no"}', "JSON"),
        (b" [1]", "JSON"),
    ],
)
def test_other_formats_are_refused_by_name(data: bytes, name: str) -> None:
    assert refused(data).reason.startswith(f"not a supported image ({name}): ")


def test_the_advice_fits_the_format() -> None:
    assert refused(b"GIF89a").reason.endswith(": convert it to JPEG, PNG or WebP")
    assert refused(b"version https://git-lfs.github.com/spec/v1").reason.endswith(
        ": run `git lfs pull`"
    )
    assert refused(b"<!doctype html>").reason.endswith(": check where it was downloaded from")


@pytest.mark.parametrize("data", [b"hello", b"\x00", b"G", b"ftypheic", b" " * 2000 + b"<html>"])
def test_what_is_not_recognised_gets_no_invented_name(data: bytes) -> None:
    assert refused(data).reason == "not a supported image: use JPEG, PNG or WebP"
