from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.backends.http.response import amount, parsed, usable_id
from relightflow.backends.segmind import answers


@pytest.mark.parametrize("value", [None, "", "NaN", "inf", "-1", "abc", True, [], float("nan"), -3])
def test_a_cost_that_is_none_is_unknown(value: Any) -> None:
    assert amount(value) is None


@pytest.mark.parametrize(("value", "micros"), [("0.05", 50_000), (0.05, 50_000), (0, 0)])
def test_a_cost_is_in_micro_dollars(value: Any, micros: int) -> None:
    assert amount(value) == micros


@pytest.mark.parametrize(
    "value", ["", "a", "../../etc", "a/b/c/d/e", "x" * 200, "id with space", "id?x=1&y=22", 7, None]
)
def test_an_id_that_could_change_a_url_is_none(value: Any) -> None:
    assert usable_id(value) == ""


def test_a_uuid_is_an_id() -> None:
    uuid = "3f2b8a44-1111-4222-8333-944445555666"
    assert usable_id(uuid) == uuid


@pytest.mark.parametrize("data", [b"", b"<html>", b"[" * 200_000, b"\xff\xfe", b"1" * 10_000])
def test_what_is_no_json_is_none(data: bytes) -> None:
    assert parsed(data) is None


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(data: bytes) -> None:
    found = parsed(data)
    answers.output_url(found)
    answers.inline_image(found)
