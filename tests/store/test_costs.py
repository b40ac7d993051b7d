from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.objects.bucket import Bucket, opened
from relightflow.store.costs import Costs, StoreCharge

ONE = StoreCharge("spring-sale_2", 1_800_000_000, "ab" * 32, "1" * 32, 50_000, 40_000)


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return opened(f"file://{tmp_path}/store", files=True)


def test_a_cost_is_read_as_it_was_written_and_twice_is_once(bucket: Bucket) -> None:
    costs = Costs(bucket)
    for _ in range(2):
        costs.put(ONE)
    costs.put(replace(ONE, attempt="2" * 32, cost=0))
    costs.put(replace(ONE, attempt="3" * 32, model="0123456789abcdef"))
    assert sorted(costs.all(), key=lambda c: c.attempt) == [
        ONE,
        replace(ONE, attempt="2" * 32, cost=0),
        replace(ONE, attempt="3" * 32, model="0123456789abcdef"),
    ]


@pytest.mark.parametrize(
    "odd", [{"recipe": "../x"}, {"recipe": ""}, {"attempt": ""}, {"key": "a/b"}, {"cost": -1}]
)
def test_a_cost_without_a_plain_name_is_left_out(bucket: Bucket, odd: dict[str, object]) -> None:
    Costs(bucket).put(replace(ONE, **odd))  # type: ignore[arg-type]  # whatever it is
    assert not list(bucket.list())


@pytest.mark.parametrize(
    "planted",
    [
        "costs/demo/nonsense",
        f"costs/demo/1.{'a' * 64}.{'b' * 32}.-5.1",
        f"costs/demo/1.{'a' * 64}.{'b' * 32}.{'9' * 16}.1",
        f"costs/a/b/1.{'a' * 64}.{'b' * 32}.5.1",
    ],
)
def test_a_planted_name_is_nothing(bucket: Bucket, planted: str) -> None:
    bucket.put(planted, b"{}")
    assert not list(Costs(bucket).all())
