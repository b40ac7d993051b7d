from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import PIL.Image
import pytest

from relightflow.images import BadImage, Probed, header, probe

Make = Callable[..., bytes]


@pytest.mark.parametrize(
    ("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_type_and_size_come_from_the_content(make: Make, kind: str, media_type: str) -> None:
    assert probe(make(kind)) == Probed(media_type, 48, 32)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_size(make: Make, kind: str, orientation: int) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    found = probe(make(kind, exif=exif))
    assert (found.width, found.height) == ((48, 32) if orientation < 5 else (32, 48))


def test_another_format_is_refused_by_name() -> None:
    with pytest.raises(BadImage, match="GIF"):
        probe(b"GIF89a" + b"\x00" * 20)


def test_empty_is_refused() -> None:
    with pytest.raises(BadImage, match="empty file"):
        probe(b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("left", [3, 20, 100, -1, -40])
def test_a_file_that_is_cut_short_is_refused(make: Make, kind: str, left: int) -> None:
    with pytest.raises(BadImage):
        probe(make(kind)[:left])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_half_a_file_is_said_to_be_cut_short(make: Make, kind: str) -> None:
    data = make(kind, 200, 200)
    with pytest.raises(BadImage, match="truncated"):
        probe(data[: len(data) // 2])


def test_bytes_after_the_image_do_no_harm(make: Make) -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        assert probe(make(kind) + b"\x00" * 100).width == 48


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_refused(make: Make, kind: str) -> None:
    frame = PIL.Image.new("RGB", (48, 32), "red")
    with pytest.raises(BadImage, match="animated"):
        probe(make(kind, save_all=True, append_images=[frame], duration=100))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_size_of_every_format_is_checked(
    make: Make, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make(kind, 200, 8)
    monkeypatch.setattr(header, "MAX_SIDE", 199)
    with pytest.raises(BadImage, match="199 on a side"):
        probe(data)


def test_probing_loads_neither_pillow_nor_numpy(make: Make) -> None:
    program = (
        "import sys; from relightflow.images import probe; "
        "probe(bytes.fromhex(sys.argv[1])); print({'PIL', 'numpy'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, make("PNG").hex()], capture_output=True, text=True
    )
    assert ran.stdout.strip() == "set()", ran.stderr
