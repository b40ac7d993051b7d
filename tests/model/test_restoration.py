from __future__ import annotations

import pytest

from relightflow.model.restoration import NOTHING, Restoration


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Restoration(16, 2, 0, 900_000), "16 results and 2 open calls, 0.90 USD"),
        (Restoration(1, 1, 1, 50_000), "1 result and 1 open call and 1 failed call, 0.05 USD"),
        (Restoration(repeated=13), "13 repeated calls, 0.00 USD"),
        (Restoration(results=1_200), "1,200 results, 0.00 USD"),
        (NOTHING, "nothing, 0.00 USD"),
    ],
)
def test_it_says_what_came_back_and_for_how_much(found: Restoration, words: str) -> None:
    assert str(found) == words


def test_it_is_true_where_anything_came_back() -> None:
    assert not NOTHING
    assert Restoration(ended=1)
    assert Restoration(1, 2, 3, repeated=4).attempts == 10
