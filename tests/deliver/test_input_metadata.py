import errno

import pytest

from relightflow.deliver.input_metadata import InputMetadata
from relightflow.model.image import Image
from relightflow.plugins.sink import SinkFailed
from relightflow.plugins.source import StaleImage
from tests.images.test_metadata import PROFILE, photograph

DATA = photograph("image/jpeg")
IMAGE = Image("a.jpg", "a" * 64, len(DATA), 48, 32, "image/jpeg", 0, "a.jpg")


def test_an_image_is_read_once() -> None:
    reads: list[str] = []

    def read(image: Image) -> bytes:
        reads.append(image.name)
        return DATA

    inputs = InputMetadata(read)
    assert inputs.of(IMAGE, everything=True) == inputs.of(IMAGE, everything=True)
    assert reads == ["a.jpg"]
    assert b"(c) 2026 Ann" in inputs.of(IMAGE, everything=False).exif


def test_a_backend_that_makes_srgb_never_gets_the_input_s_profile() -> None:
    assert InputMetadata(lambda _: DATA).of(IMAGE, everything=True).profile == PROFILE
    assert (
        InputMetadata(lambda _: DATA, {"s"}).of(IMAGE, everything=True, backend="s").profile == b""
    )


@pytest.mark.parametrize("problem", [StaleImage("it changed"), OSError(errno.EIO, "broken")])
def test_an_image_that_cannot_be_read_fails_the_sink_in_words(problem: Exception) -> None:
    def read(_: Image) -> bytes:
        raise problem

    with pytest.raises(
        SinkFailed, match=r"copyright of a\.jpg could not be read .*metadata: strip"
    ):
        InputMetadata(read).of(IMAGE, everything=False)
