from __future__ import annotations

import pytest

from relightflow.images.bad import BadImage, animated, damaged, truncated


@pytest.mark.parametrize(
    "refusal",
    [truncated("PNG"), damaged("PNG", "the checksum at byte 7"), animated("PNG")],
    ids=["truncated", "damaged", "animated"],
)
def test_every_refusal_names_the_format_and_says_what_to_do(refusal: BadImage) -> None:
    problem, _, advice = refusal.reason.partition(": ")
    assert "PNG" in problem
    assert advice.split()[0] in {"copy", "save"}
    assert str(refusal) == refusal.reason


def test_the_detail_of_damage_is_told() -> None:
    assert "(the checksum at byte 7)" in damaged("PNG", "the checksum at byte 7").reason
