from typing import Any

import pytest

from relightflow.model.outcome import Result
from relightflow.model.values import FrozenMap
from relightflow.store.index_entry import read_cost, read_details, read_result, result_facts

RESULT = Result("a" * 64, 10, 2, 3, "image/png", "r-1", 50_000, FrozenMap({"seed": 7}))


def test_a_result_is_read_back_as_it_was_written() -> None:
    entry = {"sha256": RESULT.sha256, **result_facts(RESULT, 50_000)}
    entry["details"] = dict(RESULT.details)
    assert read_result(entry, 50_000) == RESULT


@pytest.mark.parametrize(
    "wrong",
    [{"width": "2"}, {"width": -1}, {"size": 1.5}, {"height": True}, {"size": 1 << 60}, {"sha256": 7},
     {"media_type": None}],
)  # fmt: skip
def test_an_entry_with_a_value_that_cannot_be_is_no_result(wrong: dict[str, Any]) -> None:
    assert read_result({"sha256": "a" * 64, **result_facts(RESULT, 0), **wrong}, 0) is None


@pytest.mark.parametrize("cost", [-1, float("nan"), True, "1", 1 << 60, None])
def test_a_cost_that_cannot_be_is_unknown(cost: object) -> None:
    assert read_cost({"cost": cost}) is None


def test_details_of_another_type_are_none() -> None:
    assert read_details({"details": [1]}) == FrozenMap()
