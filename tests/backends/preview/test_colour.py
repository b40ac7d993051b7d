from __future__ import annotations

import numpy as np
import pytest

from relightflow.backends.preview.colour import LINEAR, LUMINANCE, black_body, encode


def test_srgb_there_and_back() -> None:
    assert np.allclose(encode(LINEAR) * 255, np.arange(256), atol=0.01)


def test_daylight_is_nearly_white() -> None:
    assert np.allclose(black_body(6500, 1.0), 1, atol=0.07)


@pytest.mark.parametrize("kelvin", [1700, 2150, 3100, 4300, 6500, 11000, 25000])
def test_every_lamp_is_equally_bright(kelvin: float) -> None:
    assert float(black_body(kelvin, 0.7) @ LUMINANCE) == pytest.approx(1, abs=1e-5)


def test_red_falls_and_blue_rises_with_the_temperature() -> None:
    lamps = np.stack([black_body(kelvin, 1.0) for kelvin in (2000, 3000, 4500, 6500, 9000, 15000)])
    assert (np.diff(lamps[:, 0]) < 0).all()
    assert (np.diff(lamps[:, 2]) > 0).all()
