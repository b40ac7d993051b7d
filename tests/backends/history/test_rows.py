from __future__ import annotations

import math
from typing import Any

import pytest

from relightflow.backends.history import rows


@pytest.mark.parametrize(
    "value", ["2026-11-23T12:00:00", "2026-11-23 12:00:00+00:00", 1795435200, 1795435200000]
)
def test_times_without_a_zone_are_utc(value: Any) -> None:
    assert rows.moment(value) == 1795435200.0


@pytest.mark.parametrize(
    "value",
    [0, -1, True, math.nan, math.inf, 1e300, pytest.param(10**400, id="huge"), "soon", None],
)
def test_what_is_no_time_is_none(value: Any) -> None:
    assert rows.moment(value) is None


def test_an_object_may_come_as_text() -> None:
    assert rows.json_object('{"a": 1}') == rows.json_object({"a": 1}) == {"a": 1}
    assert rows.json_object("{") is rows.json_object("[1]") is rows.json_object(None) is None
    assert rows.json_object("\ud800") is None
