import io
import struct

import PIL.Image
import pytest
from PIL import ImageCms

from relightflow.images import encode, load, probe
from relightflow.images.metadata import Metadata, added, metadata, without
from relightflow.testing import sample_image_bytes

TYPES = ("image/jpeg", "image/png", "image/webp")
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SAMPLE = load(sample_image_bytes())


def photograph(
    media_type: str, copyright_: str = "(c) 2026 Ann", profile: bytes = PROFILE
) -> bytes:
    """With what a camera writes, a place and a serial number among it."""
    exif = PIL.Image.Exif()
    exif[0x8298], exif[0x013B] = copyright_, "Ann"
    exif[0x010F], exif[0x0110], exif[0x0132] = "Maker", "Z", "2026:01:02 03:04:05"
    exif[0x0112] = 6
    shot = exif.get_ifd(0x8769)
    shot[0x9003], shot[0x9011], shot[0xA434] = "2026:01:02 03:04:05", "+01:00", "50mm"
    shot[0xA431] = "SERIAL 1"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    PIL.Image.fromarray(SAMPLE.rgb).save(
        out, media_type.partition("/")[2], exif=exif, icc_profile=profile
    )
    return out.getvalue()


def results() -> list[bytes]:
    """Images that say nothing: every form in which they may come."""
    lossless, transparent = io.BytesIO(), io.BytesIO()
    PIL.Image.fromarray(SAMPLE.rgb).save(lossless, "webp", lossless=True)
    PIL.Image.new("RGBA", (31, 17), (9, 8, 7, 70)).save(transparent, "webp")
    plain = [encode(SAMPLE.rgb, media_type) for media_type in TYPES]
    return [*plain, lossless.getvalue(), transparent.getvalue()]


def opened(data: bytes) -> PIL.Image.Image:
    image = PIL.Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("media_type", TYPES)
@pytest.mark.parametrize("result", results(), ids=["jpeg", "png", "webp", "lossless", "alpha"])
def test_everything_that_is_kept_reaches_a_result_that_says_nothing(
    result: bytes, media_type: str
) -> None:
    data = added(result, metadata(photograph(media_type), everything=True))
    image = opened(data)
    exif = image.getexif()
    shot = exif.get_ifd(0x8769)
    assert (exif[0x8298], exif[0x013B]) == ("(c) 2026 Ann", "Ann")
    assert (exif[0x010F], exif[0x0110], exif[0x0132]) == ("Maker", "Z", "2026:01:02 03:04:05")
    assert (shot[0x9003], shot[0x9011], shot[0xA434]) == ("2026:01:02 03:04:05", "+01:00", "50mm")
    assert image.info["icc_profile"] == PROFILE
    assert 0x0112 not in exif  # a result is upright
    assert 0x8825 not in exif  # no place
    assert 0xA431 not in shot  # no serial number
    assert probe(data) == probe(result)
    assert image.convert("RGBA").tobytes() == opened(result).convert("RGBA").tobytes()
    assert without(data) == result


@pytest.mark.parametrize("media_type", TYPES)
@pytest.mark.parametrize("result", results(), ids=["jpeg", "png", "webp", "lossless", "alpha"])
def test_usually_it_is_author_and_copyright(result: bytes, media_type: str) -> None:
    data = added(result, metadata(photograph(media_type), everything=False))
    assert dict(opened(data).getexif()) == {0x8298: "(c) 2026 Ann", 0x013B: "Ann"}
    assert "icc_profile" not in opened(data).info
    assert without(data) == result


@pytest.mark.parametrize("media_type", TYPES)
def test_a_result_that_says_something_is_left_alone(media_type: str) -> None:
    own = photograph(media_type, "(c) the model's maker")
    assert added(own, metadata(photograph("image/jpeg"), everything=True)) is own


def test_a_profile_of_any_length_is_put_together_again() -> None:
    long = PROFILE[:128] + bytes(200_000)
    given = metadata(photograph("image/jpeg", profile=long), everything=True)
    assert given.profile == long
    for result in results():
        assert opened(added(result, given)).info["icc_profile"] == long


def test_a_profile_for_other_pixels_is_not_taken() -> None:
    grey = PROFILE[:16] + b"GRAY" + PROFILE[20:]
    assert metadata(photograph("image/png", profile=grey), everything=True).profile == b""


def test_a_png_that_says_it_is_srgb_has_its_colours() -> None:
    png = encode(SAMPLE.rgb, "image/png")
    chunk = b"sRGB\x00"
    srgb = png[:33] + struct.pack(">I", 1) + chunk + b"\xae\xce\x1c\xe9" + png[33:]
    assert added(srgb, Metadata(profile=PROFILE)) is srgb


@pytest.mark.parametrize("text", ["", "   ", "x" * 5000])
def test_blanks_and_novels_are_no_copyright(text: str) -> None:
    found = metadata(photograph("image/jpeg", text), everything=False)
    assert b"Ann" in found.exif
    assert added(results()[0], found).count(b"x" * 100) == 0


def test_an_image_without_metadata_gives_none() -> None:
    assert metadata(sample_image_bytes(), everything=True) == Metadata()


@pytest.mark.parametrize("media_type", TYPES)
def test_damage_is_as_good_as_nothing(media_type: str) -> None:
    whole = photograph(media_type)
    for at in range(0, len(whole), 7):
        torn = whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :]
        for data in (torn, whole[:at]):
            found = metadata(data, everything=True)
            assert without(added(results()[0], found)) == results()[0]
            without(data)
            added(data, found)


def test_what_is_no_image_is_left_alone() -> None:
    assert (metadata(b"", True), added(b"GIF89a", Metadata(b"x"))) == (Metadata(), b"GIF89a")
    assert without(b"text") == b"text"


def test_an_input_that_says_nothing_leaves_the_very_result() -> None:
    for result in results():
        assert added(result, Metadata()) is result
