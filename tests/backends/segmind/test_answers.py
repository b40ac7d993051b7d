from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize("value", [None, "", "NaN", "inf", "-1", "abc", True, [], float("nan"), -3])
def test_a_cost_that_is_none_is_unknown(value: Any) -> None:
    assert answers.amount(value) is None


@pytest.mark.parametrize(("value", "micros"), [("0.05", 50_000), (0.05, 50_000), (0, 0)])
def test_a_cost_is_in_micro_dollars(value: Any, micros: int) -> None:
    assert answers.amount(value) == micros


@pytest.mark.parametrize(
    "value", ["", "a", "../../etc", "a/b/c/d/e", "x" * 200, "id with space", "id?x=1&y=22", 7, None]
)
def test_an_id_that_could_change_a_url_is_none(value: Any) -> None:
    assert answers.usable_id(value) == ""


def test_a_uuid_is_an_id() -> None:
    uuid = "3f2b8a44-1111-4222-8333-944445555666"
    assert answers.usable_id(uuid) == uuid


@pytest.mark.parametrize("data", [b"", b"<html>", b"[" * 200_000, b"\xff\xfe", b"1" * 10_000])
def test_what_is_no_json_is_none(data: bytes) -> None:
    assert answers.parsed(data) is None


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(data: bytes) -> None:
    found = answers.parsed(data)
    answers.output_url(found)
    answers.inline_image(found)


def test_seed_and_timings_are_kept_and_nothing_else() -> None:
    answer = {"seed": 7, "metrics": {"total_time": 1.5, "queue_time": "x", "cost": 1}, "x": "y"}
    assert answers.result_details(answer) == {"seed": 7, "total_time": 1.5}
    assert answers.header_details({"x-seed-value": "-7", "x-generation-time": "9.5"}) == {
        "seed": -7,
        "generation_time": 9.5,
    }
    assert answers.header_details({"x-seed-value": "abc"}) == {}
