from __future__ import annotations

from typing import Any

import pytest

from relightflow.model.attempt import State
from relightflow.model.failure import Billed
from relightflow.store.index_attempts import attempts_of, is_sound


def test_a_doubt_that_ended_with_an_image_is_a_doubt_no_longer() -> None:
    start = {"key": "k", "event": State.INTENT}
    doubt = {"key": "k", "event": State.UNKNOWN, "billed": Billed.UNKNOWN}
    [attempt] = attempts_of([start, doubt, {"key": "k", "sha256": "s", "width": 2}])
    assert (attempt["state"], attempt.get("billed")) == (State.STORED, None)


def _line(key: str = "k", **facts: Any) -> dict[str, Any]:
    return {"key": key, **facts}


def _intent(**facts: Any) -> dict[str, Any]:
    return _line(event="INTENT", **facts)


def _states(*lines: dict[str, Any]) -> list[str]:
    return [str(attempt["state"]) for attempt in attempts_of(lines)]


def test_lines_that_name_their_attempt_may_be_mixed() -> None:
    one, two = attempts_of(
        [
            _intent(attempt="a", at=1),
            _intent(attempt="b", at=2),
            _line(event="ACCEPTED", attempt="a", request_id="ra"),
            _line(event="FAILED", attempt="b", billed="no"),
        ]
    )
    assert (one["state"], one["request_id"]) == (State.ACCEPTED, "ra")
    assert two["state"] is State.FAILED


def test_a_line_without_a_name_is_about_the_latest_attempt_of_its_job() -> None:
    lines = [_intent(), _line("other", event="INTENT"), _line(event="FAILED", billed="no")]
    assert _states(*lines, _intent(), _line(event="ACCEPTED")) == ["FAILED", "INTENT", "ACCEPTED"]


def test_what_a_first_line_says_of_the_beginning_stands() -> None:
    (found,) = attempts_of(
        [
            _intent(attempt="a", at=1, run="r1", recipe="demo"),
            _line(event="ACCEPTED", attempt="a", at=9, run="r2", recipe="", request_id="x"),
        ]
    )
    assert (found["at"], found["run"], found["recipe"]) == (1, "r1", "demo")


def test_an_empty_fact_does_not_wipe_out_a_known_one() -> None:
    (found,) = attempts_of(
        [_intent(), _line(event="ACCEPTED", request_id="r"), _line(event="UNKNOWN", request_id="")]
    )
    assert (found["state"], found["request_id"]) == (State.UNKNOWN, "r")


@pytest.mark.parametrize(
    ("before", "state", "billed"),
    [
        ([_line(sha256="s")], State.READY, Billed.YES),
        ([_line(event="PAID_UNFETCHED")], State.READY, Billed.YES),
        ([_line(event="UNKNOWN", billed="unknown")], State.READY, Billed.UNKNOWN),
        ([_line(event="FAILED", billed="yes")], State.READY, Billed.YES),
        ([_line(event="FAILED", billed="no")], State.FAILED, Billed.NO),
    ],
)
def test_a_later_call_for_a_job_closes_the_one_before_with_its_bill(
    before: list[dict[str, Any]], state: State, billed: Billed
) -> None:
    first, second = attempts_of([_intent(), *before, _intent()])
    assert (first["state"], first["billed"], second["state"]) == (state, billed, State.INTENT)


def test_bytes_kept_aside_are_no_image() -> None:
    (found,) = attempts_of([_intent(), _line(sha256="junk", aside=True)])
    assert (found["state"], found["kept"], found.get("sha256")) == (State.INTENT, "junk", None)


def test_an_image_without_any_call_is_an_attempt_and_putting_it_back_is_none() -> None:
    (found,) = attempts_of([_line(sha256="s"), _line(sha256="s", width=3)])
    assert (found["state"], found["width"]) == (State.STORED, 3)


@pytest.mark.parametrize(
    "entry",
    [
        _line(sha256="s", width=2, cost=None),
        _line(event="INTENT", at=0.5),
        _intent(backend="b", model="m", image_sha256="1", parameters={}, repeat=0, price=0),
    ],
)
def test_a_line_that_a_ledger_can_hold_is_sound(entry: dict[str, Any]) -> None:
    assert is_sound(entry)


@pytest.mark.parametrize(
    "entry",
    [
        _line(),
        _line(sha256=3),
        _line(sha256="s", width=True),
        _line(sha256="s", width=-1),
        _line(sha256="s", cost=1 << 62),
        _line(sha256="s", unheard_of=1 << 62),
        _line(sha256="s", at=float("nan")),
        _line(sha256="s", at=1e13),
        _line(event="INTEND"),
        _line(event=["INTENT"]),
        _line(event="FAILED", kind="bad-luck"),
        _intent(backend="b", model="m"),
        {"key": None, "sha256": "s"},
    ],
)
def test_a_line_that_no_ledger_could_hold_is_not(entry: dict[str, Any]) -> None:
    assert not is_sound(entry)


def test_details_of_every_step_are_kept_together_as_in_the_ledger() -> None:
    lines = [
        _intent(attempt="a", details={"server_time": 1.0, "seed": 0}),
        _line(event="ACCEPTED", attempt="a", details={"seed": 7}),
        _line(sha256="s", attempt="a"),
    ]
    [attempt] = attempts_of(lines)
    assert attempt["details"] == {"server_time": 1.0, "seed": 7}
