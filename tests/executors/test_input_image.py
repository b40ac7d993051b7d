from __future__ import annotations

import hashlib
from typing import NoReturn

import pytest

from relightflow.executors.input_image import read_planned
from relightflow.images import BadImage
from relightflow.plugins.executor import TaskRefused
from relightflow.plugins.source import StaleImage

PLANNED = hashlib.sha256(b"planned").hexdigest()


def test_what_was_planned_is_read() -> None:
    assert read_planned(lambda: b"planned", PLANNED) == b"planned"


def test_another_content_is_refused() -> None:
    with pytest.raises(TaskRefused, match="another content of an input image"):
        read_planned(lambda: b"edited", PLANNED)


@pytest.mark.parametrize("problem", [OSError("gone"), BadImage("gone"), StaleImage("gone")])
def test_what_cannot_be_read_is_left_to_the_run(problem: Exception) -> None:
    def fails() -> NoReturn:
        raise problem

    with pytest.raises(TaskRefused, match="could not read an input image: gone"):
        read_planned(fails, PLANNED)
