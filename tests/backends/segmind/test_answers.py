from __future__ import annotations

import base64
from typing import Any

import pytest

from relightflow.backends.segmind import answers

PNG = b"\x89PNG\r\n\x1a\n rest"
B64 = base64.b64encode(PNG).decode()
URL = "https://images.segmind.com/a.png"


@pytest.mark.parametrize(
    "answer",
    [
        {"output": URL},
        {"output": [URL]},
        {"images": [{"url": URL, "content_type": "image/png"}]},
        {"image": URL},
        {"image": {"url": URL}},
        [URL],
    ],
)
def test_finds_the_url_in_every_known_shape(answer: Any) -> None:
    assert answers.output_url(answer) == URL


@pytest.mark.parametrize(
    "answer",
    [{"image": B64}, {"image": "data:image/png;base64," + B64}, {"output": [B64]}],
)
def test_finds_the_image_in_every_known_shape(answer: Any) -> None:
    assert answers.inline_image(answer) == PNG


@pytest.mark.parametrize(
    "answer", [{}, {"output": None}, {"image": "x"}, {"image": 3}, None, "text", {"images": [[]]}]
)
def test_finds_nothing_where_nothing_is(answer: Any) -> None:
    assert answers.output_url(answer) == ""
    assert answers.inline_image(answer) == b""


def test_seed_and_timings_are_kept_and_nothing_else() -> None:
    answer = {"seed": 7, "metrics": {"total_time": 1.5, "queue_time": "x", "cost": 1}, "x": "y"}
    assert answers.result_details(answer) == {"seed": 7, "total_time": 1.5}
    assert answers.header_details({"x-seed-value": "-7", "x-generation-time": "9.5"}) == {
        "seed": -7,
        "generation_time": 9.5,
    }
    assert answers.header_details({"x-seed-value": "abc"}) == {}
