from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import StorageError
from relightflow.model.reservation import Reservation, Reserved
from relightflow.model.values import FrozenMap
from relightflow.objects.bucket import Bucket, opened
from relightflow.store.reservations import Reservations

ONE = Reservation("a" * 32, "20270101T000000Z-ab12cd", "host-1", "spring", 100.5, 500_000)
TWO = replace(ONE, id="b" * 32, machine="host-2", amount=1)


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return opened(f"file://{tmp_path}/store", files=True)


@pytest.fixture
def store(bucket: Bucket) -> Reservations:
    return Reservations(bucket)


def test_each_state_says_what_is_open_and_what_the_ended_came_to(store: Reservations) -> None:
    nothing = store.latest()
    first = nothing.with_open(ONE, "1" * 32)
    second = first.with_open(TWO, "2" * 32)
    third = second.with_open(replace(ONE, amount=700_000), "3" * 32)
    last = third.without(third.open[-1], 60_000, "4" * 32).without(TWO, 5, "5" * 32)
    for state in (first, second, third, replace(last, number=4)):
        assert store.create(state)
    assert store.latest() == Reserved(4, (), FrozenMap({"spring": 60_005}), "5" * 32)
    assert list(store.after(first)) == [second, third, replace(last, number=4)]
    assert [one.amount for one in third.open] == [1, 700_000]


def test_of_two_that_take_the_same_step_one_succeeds(store: Reservations) -> None:
    nothing = store.latest()
    assert store.create(nothing.with_open(ONE, "1" * 32))
    assert not store.create(nothing.with_open(TWO, "2" * 32))
    assert store.create(nothing.with_open(ONE, "1" * 32)), "its own, told again"
    assert store.latest().open == (ONE,)


def test_a_reservation_is_ended_once_and_for_all(store: Reservations) -> None:
    assert not store.is_ended(ONE.id)
    for _ in range(2):
        store.end(ONE.id)
    assert store.is_ended(ONE.id)
    assert not store.is_ended(TWO.id)
    assert store.latest() == Reserved()


@pytest.mark.parametrize(
    "damage",
    [
        {"format": 2},
        {"open": {}},
        {"open": [1]},
        {"ended": {"spring": -1}},
        {"ended": {"spring": 1.5}},
        {"ended": {"spring": True}},
        {"open": [{"id": "x"}]},
        {"open": [{"amount": 10**17}]},
        {"open": [{"run": "\\u001b[2J"}]},
    ],
)
def test_a_state_that_makes_no_sense_is_not_read_as_less(
    store: Reservations, bucket: Bucket, damage: dict[str, Any]
) -> None:
    store.create(Reserved().with_open(ONE, "1" * 32))
    path = f"reservations/{1:012}.json"
    facts = json.loads(bucket.get(path))
    if isinstance(damage.get("open"), list) and isinstance(damage["open"][0], dict):
        damage = {"open": [facts["open"][0] | damage["open"][0]]}
    bucket.put(path, json.dumps(facts | damage).encode())
    with pytest.raises(StorageError, match="damaged"):
        store.latest()
    with pytest.raises(StorageError, match="damaged"):
        list(store.after(Reserved()))
