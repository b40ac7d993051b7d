from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from relightflow.backends.preview.parameters import DIRECTIONS, light_setup
from relightflow.model.values import FrozenMap


def test_directions_are_of_length_one() -> None:
    for lamp in DIRECTIONS.values():
        assert np.hypot(np.hypot(lamp.x, lamp.y), lamp.z) == pytest.approx(1, abs=0.01)


def test_an_unknown_word_is_an_error_and_never_a_default(cell: Callable[..., FrozenMap]) -> None:
    with pytest.raises(KeyError):
        light_setup(cell(direction="bottom"))
