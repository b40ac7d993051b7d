from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from relightflow.errors import StorageError
from relightflow.model.reservation import Reservation, Reserved
from relightflow.model.values import FrozenMap
from relightflow.objects.bucket import Bucket, opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store import reservations
from relightflow.store.reservations import Reservations, StatePruned

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
    last = third.without(third.open[-1], 60_000, "4" * 32, {}).without(TWO, 5, "5" * 32, {})
    for state in (first, second, third, replace(last, number=4)):
        assert store.create(state)
    assert store.latest() == Reserved(4, (), FrozenMap({"spring": 60_005}), FrozenMap(), "5" * 32)
    assert list(store.after(first)) == [second, third, replace(last, number=4)]
    assert [one.amount for one in third.open] == [1, 700_000]


def test_what_is_reserved_for_each_model_is_told_too(store: Reservations, bucket: Bucket) -> None:
    glow = "0" * 16
    first = store.latest().with_open(replace(ONE, parts=FrozenMap({glow: 7})), "1" * 32)
    second = first.with_open(TWO, "2" * 32).without(first.open[0], 9, "3" * 32, {glow: 7})
    for state in (first, replace(second, number=2)):
        assert store.create(state)
    assert list(store.after(Reserved())) == [first, replace(second, number=2)]
    path = f"reservations/{2:012}.json"
    facts = json.loads(bucket.get(path))
    del facts["ended_parts"], facts["open"][0]["parts"]  # as earlier versions wrote it
    bucket.put(path, json.dumps(facts).encode())
    assert store.latest() == Reserved(2, (TWO,), FrozenMap({"spring": 9}), FrozenMap(), "3" * 32)


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
        {"open": [{"parts": {"glow": 1}}]},
        {"open": [{"parts": {"0" * 16: -1}}]},
        {"ended_parts": []},
        {"ended_parts": {"spring": {"0" * 16: True}}},
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


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of four states."""
    monkeypatch.setattr(reservations, "_BLOCK", 4)


def steps(store: Reservations, count: int, since: Reserved | None = None) -> list[Reserved]:
    """`count` changes to what is reserved, by one machine that sees them all."""
    made = [since or store.latest()]
    for number in range(count):
        made.append(made[-1].with_open(replace(ONE, amount=number), uuid4().hex))
        assert store.create(made[-1])
    return made


def objects(bucket: Bucket) -> list[str]:
    return sorted(Path(facts.path).name for facts in bucket.list("reservations"))


def test_old_states_are_deleted_by_blocks_and_the_last_two_blocks_stay(
    store: Reservations, bucket: Bucket, small: None
) -> None:
    last = steps(store, 42)[-1]
    states = [name for name in objects(bucket) if name.endswith(".json")]
    assert [int(name[:12]) for name in states] == list(range(36, 43))
    assert len(objects(bucket)) - len(states) == 9, "an empty object for every block that is gone"
    assert store.latest() == last
    assert [one.number for one in store.after(replace(last, number=38))] == [39, 40, 41, 42]


def test_a_state_that_was_deleted_before_it_could_be_read_was_another_machine_s(
    store: Reservations, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, *_ = steps(store, 20)

    def refuses(_: Bucket, path: str, *__: object, **___: object) -> None:
        raise ObjectFault(Reason.CHANGED, path, "it exists")

    monkeypatch.setattr(Bucket, "put", refuses)
    assert not store.create(seen.with_open(TWO, "1" * 32))


def test_a_machine_that_was_suspended_while_states_were_deleted_makes_none(
    store: Reservations, bucket: Bucket, small: None
) -> None:
    seen, *_, last = steps(store, 20)
    state = seen.with_open(TWO, "1" * 32)
    with pytest.raises(StatePruned):
        store.create(state)
    assert not any(name.startswith(f"{1:012}") for name in objects(bucket))
    assert store.latest() == last
    assert store.create(last.with_open(TWO, "2" * 32))


def test_what_it_left_when_it_died_is_taken_for_no_state_and_deleted_with_the_next_block(
    store: Reservations, bucket: Bucket, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, *_, last = steps(store, 20)
    monkeypatch.setattr(Bucket, "head", died)
    with pytest.raises(RuntimeError):
        store.create(seen.with_open(TWO, "1" * 32))
    monkeypatch.undo()
    monkeypatch.setattr(reservations, "_BLOCK", 4)
    assert f"{1:012}.json" in objects(bucket)
    assert store.latest() == last
    assert list(store.after(last)) == []
    steps(store, 8, last)
    assert f"{1:012}.json" not in objects(bucket)


def died(*_: object) -> None:
    raise RuntimeError("killed")


def test_a_crash_between_closing_a_block_and_deleting_it_is_made_up_for(
    store: Reservations, bucket: Bucket, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = steps(store, 7)
    monkeypatch.setattr(Bucket, "delete", died)
    with pytest.raises(RuntimeError):
        store.create(seen[-1].with_open(ONE, "1" * 32))
    assert f"{0:010}.closed" in objects(bucket)
    monkeypatch.undo()
    monkeypatch.setattr(reservations, "_BLOCK", 4)
    assert len(objects(bucket)) == 9, "eight states, the first three in a closed block"
    assert store.latest().number == 8
    steps(store, 4)
    assert f"{1:012}.json" not in objects(bucket)


@pytest.mark.parametrize("shown", [0, 3, 18])
def test_a_listing_that_is_late_is_followed_up_or_not_believed(
    store: Reservations, bucket: Bucket, small: None, monkeypatch: pytest.MonkeyPatch, shown: int
) -> None:
    """It shows the store as it was when `shown` states had been made."""
    *_, last = steps(store, 20)
    listed = [facts for facts in bucket.list("reservations") if facts.path.endswith(".json")]
    old = [replace(listed[0], path=f"reservations/{n + 1:012}.json") for n in range(shown)]
    monkeypatch.setattr(Bucket, "list", lambda *_: iter(old))
    if shown == 18:
        assert store.latest() == last
    elif shown == 3:
        with pytest.raises(ObjectFault, match="does not show yet what is reserved"):
            store.latest()
    else:  # as an empty store looks: nothing can be reserved on the strength of it
        with pytest.raises(StatePruned):
            store.create(store.latest().with_open(TWO, "1" * 32))
