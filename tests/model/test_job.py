from __future__ import annotations

from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.values import FrozenMap


def test_people_see_the_first_16_digits_of_a_key() -> None:
    image = Image("a.png", "0" * 64, 10, 4, 4, "image/png", 0, "a.png")
    job = Job("0123456789abcdef" * 4, image, "preview", "preview", FrozenMap(), 0)
    assert job.id == "0123456789abcdef"
