from __future__ import annotations

import pytest

from relightflow.model.recipe import Rate
from relightflow.recipe.building import rate


@pytest.mark.parametrize(
    ("text", "calls", "seconds"),
    [("50/1m", 50, 60), ("50/m", 50, 60), ("50/5s", 50, 5), ("2/h", 2, 3600), ("1/90m", 1, 5400)],
)
def test_a_rate_is_calls_in_so_many_seconds(text: str, calls: int, seconds: float) -> None:
    assert rate(text) == Rate(calls, seconds)


@pytest.mark.parametrize("text", ["", "50", "50/", "/m", "50/1d", "50 / 1m", "-1/m", "1.5/m"])
def test_anything_else_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        rate(text)
