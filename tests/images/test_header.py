from __future__ import annotations

import pytest

from relightflow.images.bad import BadImage
from relightflow.images.header import MAX_PIXELS, MAX_SIDE, PNG, Header, checked


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_from_5_on_swap_width_and_height(orientation: int) -> None:
    seen = Header(PNG, 48, 32, orientation).oriented
    assert seen == ((48, 32) if orientation < 5 else (32, 48))


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(BadImage, match="60000×60000 pixels, more than 80 million: scale it down"):
        checked(Header(PNG, 60_000, 60_000))


def test_the_largest_size_is_taken_and_one_row_more_is_not() -> None:
    largest = Header(PNG, 10_000, MAX_PIXELS // 10_000)
    assert checked(largest) is largest
    with pytest.raises(BadImage, match="more than 80 million"):
        checked(Header(PNG, 10_000, MAX_PIXELS // 10_000 + 1))


@pytest.mark.parametrize("turned", [False, True])
def test_a_strip_of_few_pixels_is_refused_by_its_longer_side(turned: bool) -> None:
    def strip(longer: int) -> Header:
        return Header(PNG, *((1, longer) if turned else (longer, 1)))

    assert checked(strip(MAX_SIDE)) == strip(MAX_SIDE)
    with pytest.raises(BadImage, match="more than 30,000 on a side: scale it down or crop it"):
        checked(strip(MAX_SIDE + 1))


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_no_pixels_at_all_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadImage, match="nothing to relight"):
        checked(Header(PNG, *size))
