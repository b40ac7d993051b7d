"""A wrong 'absent' buys twice: what is adopted, what is absent, what stays in doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.backends.history.matching import (
    AFTER,
    BEFORE,
    BEFORE_SERVER,
    Fit,
    HistoryRow,
    Matcher,
)
from relightflow.backends.segmind.models import MODELS, TABLE
from relightflow.model.attempt import Attempt, State
from relightflow.model.evidence import DIGEST, SERVER_TIME, digest
from relightflow.model.failure import Billed
from relightflow.model.values import FrozenMap

URL = "https://images.segmind.com/assets/a.jpg"
AT = 1_795_435_200.0
fit, match = Matcher.of(TABLE).fit, Matcher.of(TABLE).match
CELL = MODELS[0].normalise(FrozenMap())


def doubt(number: int = 1, at: float = AT, image: str = URL, **facts: Any) -> Attempt:
    details = FrozenMap({DIGEST: digest(image), "inline": image.startswith("data:"), "api": "v1"})
    blank = Attempt(
        id=number,
        job_key="k",
        run_id="r",
        state=State.UNKNOWN,
        backend="segmind",
        model="segmind-relighting",
        image_sha256="0" * 64,
        parameters=CELL,
        repeat=0,
        price=50_000,
        cost=None,
        billed=Billed.UNKNOWN,
        request_id="",
        url="",
        blob="",
        reason="",
        created=at,
        updated=at,
        details=details,
    )
    return replace(blank, **facts)


def row(number: int = 1, at: float | None = AT + 5, image: Any = URL, **facts: Any) -> HistoryRow:
    inputs = {"image": image, **CELL}
    blank = HistoryRow(
        f"request-{number:04d}", "segmind-relighting", "COMPLETED", 50_000, at, inputs, "https://x"
    )
    return replace(blank, **facts)


def ids(doubts: list[Attempt], rows: list[HistoryRow]) -> tuple[dict[int, str], list[int]]:
    """Attempt → the request that is its own, and the attempts that no row could be."""
    found = match(doubts, rows)
    hosts = frozenset({"images.segmind.com"})
    left = [d for d in doubts if d.id not in found.found and d.id not in found.ambiguous]
    nobodys = [d.id for d in left if all(fit(d, r, hosts) is Fit.NO for r in found.free)]
    return {n: r.request_id for n, r in found.found.items()}, sorted(nobodys)


def test_the_one_row_that_fits_is_adopted() -> None:
    assert ids([doubt()], [row()]) == ({1: "request-0001"}, [])


def test_no_row_at_all_is_absent() -> None:
    assert ids([doubt()], []) == ({}, [1])


def test_equal_attempts_are_matched_as_a_set() -> None:
    found, absent = ids([doubt(1), doubt(2, AT + 1), doubt(3, AT + 2)], [row(7), row(8)])
    assert sorted(found.values()) == ["request-0007", "request-0008"]
    assert len(absent) == 1


def test_more_rows_than_attempts_are_somebody_elses_too() -> None:
    assert ids([doubt()], [row(1), row(2)]) == ({}, [])


def test_different_images_do_not_mix() -> None:
    other = "https://images.segmind.com/assets/b.jpg"
    assert ids([doubt(1), doubt(2, image=other)], [row(5, image=other)]) == (
        {2: "request-0005"},
        [1],
    )


@pytest.mark.parametrize(
    "other",
    [
        {"inputs": {"image": URL, **CELL, "light_direction": "left"}},
        {"image": "https://images.segmind.com/assets/b.jpg"},
        {"at": AT - BEFORE - 1, "inputs": None},
        {"at": AT + AFTER + 1, "inputs": None},
        {"model": "ic-light", "inputs": {"subject_image": URL, "prompt": "x"}},
    ],
)
def test_a_row_that_cannot_be_it_is_no_hindrance(other: dict[str, Any]) -> None:
    assert ids([doubt()], [row(**other)]) == ({}, [1])


@pytest.mark.parametrize(
    "other",
    [
        {"inputs": None},
        {"inputs": {"image": URL}},
        {"inputs": dict(CELL)},
        {"inputs": {"image": 7, **CELL}},
        {"model": "Segmind Relighting (beta)"},
        {"at": None},
        {"at": AT - 3600},
        {"at": AT + 2 * 3600},
        {"request_id": ""},
        {"at": AT - 40 * 3600},
        {"model": "relight-2", "inputs": None},
        {"model": "relight-2"},
        {"image": "https://cdn.example.org/copies/1"},
        {"inputs": {"image": URL, **{name: str(v).upper() for name, v in CELL.items()}}},
        {"inputs": {"image": URL, **{name: f"'{v}'" for name, v in CELL.items()}}},
    ],
)
def test_a_row_that_might_be_it_leaves_the_attempt_in_doubt(other: dict[str, Any]) -> None:
    assert ids([doubt()], [row(**other)]) == ({}, [])


def test_a_parameter_that_was_not_sent_leaves_the_attempt_in_doubt() -> None:
    """The provider may fill in its defaults, or it may be another cell's call."""
    cell = MODELS[1].normalise(FrozenMap())
    attempt = doubt(model=MODELS[1].name, parameters=cell)
    inputs = {"image": URL, **cell, "size": "auto"}
    assert ids([attempt], [row(model=MODELS[1].name, inputs=inputs)]) == ({}, [])


def test_what_the_provider_adds_of_its_own_is_no_hindrance() -> None:
    inputs = {"image": URL, **CELL, "base64": False}
    assert ids([doubt()], [row(inputs=inputs)])[0] == {1: "request-0001"}


def test_what_was_sent_inside_a_request_may_be_recorded_otherwise() -> None:
    sent = "data:image/png;base64,AAAA"
    assert ids([doubt(image=sent)], [row(image=sent)]) == ({1: "request-0001"}, [])
    assert ids([doubt(image=sent)], [row(image="https://stored.example/x")]) == ({}, [])


def test_an_attempt_that_does_not_say_what_it_sent_stays_in_doubt() -> None:
    assert ids([doubt(details=FrozenMap())], [row()]) == ({}, [])


def test_the_models_name_may_be_spelt_otherwise() -> None:
    assert ids([doubt()], [row(model="Segmind_Relighting")])[0] == {1: "request-0001"}


def test_equal_attempts_far_apart_do_not_share_rows() -> None:
    later = AT + 20 * 3600
    found, absent = ids([doubt(1), doubt(2, later)], [row(9, later + 3)])
    assert found == {2: "request-0009"}
    assert absent == [1]


@given(st.integers(0, 6), st.integers(0, 6))
def test_no_row_is_given_twice_and_none_is_lost(attempts: int, rows: int) -> None:
    doubts = [doubt(n, AT + n) for n in range(attempts)]
    found, absent = ids(doubts, [row(n) for n in range(rows)])
    assert len(set(found.values())) == len(found)
    assert not set(found) & set(absent)
    if rows <= attempts:
        assert len(found) == rows
        assert len(absent) == attempts - rows
    else:
        assert not found
        assert not absent


def test_a_row_that_failed_stands_back_behind_one_that_did_not() -> None:
    earlier = row(1, AT - 20, status="FAILED", cost=0)
    matches = match([doubt()], [earlier, row(2)])
    assert {number: own.request_id for number, own in matches.found.items()} == {1: "request-0002"}
    assert not matches.failed


def test_a_failed_row_is_told_apart_from_one_that_was_billed() -> None:
    rows = [row(1, status="FAILED", cost=0)]
    assert match([doubt()], rows).failed == {1: rows[0]}
    assert not match([doubt()], rows).found


def test_failed_rows_of_earlier_tries_do_not_hide_that_a_call_is_absent() -> None:
    rows = [row(n, AT - 20, status="FAILED", cost=0) for n in (1, 2, 3)]
    matches = match([doubt(1), doubt(2)], rows)
    assert (len(matches.failed), matches.found) == (2, {})


def test_a_failed_row_of_another_hour_does_not_hide_that_a_call_is_absent() -> None:
    old = row(1, AT - 5 * 3600, status="FAILED", cost=0)
    assert ids([doubt()], [old]) == ({}, [1])
    billed = row(1, AT - 5 * 3600, status="FAILED", cost=50_000)
    assert ids([doubt()], [billed]) == ({}, [])


def test_the_providers_own_time_leaves_less_room_than_ours() -> None:
    timed = doubt(at=0.0, details=FrozenMap({**doubt().details, SERVER_TIME: AT}))
    assert fit(timed, row(at=AT - BEFORE_SERVER + 1)) is Fit.YES
    assert fit(timed, row(at=AT - BEFORE_SERVER - 1, inputs=None)) is Fit.NO


def test_another_image_where_ours_are_kept_is_another_call() -> None:
    other = row(image="https://images.segmind.com/assets/b.jpg")
    assert fit(doubt(), other) is Fit.MAYBE
    assert fit(doubt(), other, frozenset({"images.segmind.com"})) is Fit.NO
    copy = row(image="https://cdn.example.org/copies/1")
    assert fit(doubt(), copy, frozenset({"images.segmind.com"})) is Fit.MAYBE


@pytest.mark.parametrize(
    ("facts", "vouches"),
    [
        ({}, True),
        ({"inputs": None}, False),
        ({"inputs": None, "removed": True}, True),
        ({"inputs": None, "removed": True, "model": "another"}, False),
        ({"inputs": None, "removed": True, "created": AT + 9e4}, False),
        ({"inputs": {"image": URL, **CELL, "light_type": "spotlight"}, "removed": True}, False),
        ({"inputs": {**CELL}, "removed": True}, False),
    ],
)
def test_a_row_of_which_the_inputs_were_deleted_vouches_for_the_records_by_its_id(
    facts: dict[str, Any], vouches: bool
) -> None:
    """One whose inputs are there and differ, or that is of another time or model, does not."""
    assert Matcher.of(TABLE).vouches(doubt(), row(**facts)) is vouches


def test_a_row_of_which_the_inputs_were_deleted_is_adopted_for_nothing() -> None:
    assert ids([doubt()], [row(inputs=None, removed=True)]) == ({}, [])


def test_a_table_tells_what_each_model_is_sent() -> None:
    known = Matcher.of(TABLE).models["ic-light"]
    assert known.image_field == "subject_image"
    assert {"prompt", "seed"} <= known.parameters
