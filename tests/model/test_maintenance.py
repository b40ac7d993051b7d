from __future__ import annotations

from dataclasses import replace

import pytest

from relightflow.errors import Exit
from relightflow.model.attempt import Attempt, State
from relightflow.model.evidence import Needs, Undecided
from relightflow.model.failure import Billed
from relightflow.model.maintenance import (
    Difference,
    Finding,
    Garbage,
    Reconciliation,
    Resolution,
    Verification,
    settles_itself,
)
from relightflow.model.values import FrozenMap

UNKNOWN = Attempt(
    1, "k" * 64, "r", State.UNKNOWN, "b", "m", "0" * 64, FrozenMap(), 0, 50, None, Billed.UNKNOWN,
    "", "", "", "", 0.0, 0.0,
)  # fmt: skip
TIME = replace(UNKNOWN, id=2, details=Undecided(Needs.TIME, "it lags").note)
RUN = replace(UNKNOWN, id=4, details=Undecided(Needs.RUN, "a run sends it again").note)
PERSON = replace(UNKNOWN, id=3, details=Undecided(Needs.PERSON, "two fit").note)
CLEAN = Verification(3, (), (), 3, (), ())


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (CLEAN, Exit.OK),
        (replace(CLEAN, damaged=("a",)), Exit.DAMAGED),
        (replace(CLEAN, missing=("a",)), Exit.DAMAGED),
        (replace(CLEAN, shared_damaged=("a",)), Exit.DAMAGED),
        (replace(CLEAN, edited=("a",)), Exit.JOBS_FAILED),
        (replace(CLEAN, gone=("a",)), Exit.JOBS_FAILED),
        (replace(CLEAN, gone=("a",), damaged=("b",)), Exit.DAMAGED),
    ],
)
def test_damage_outranks_files_that_can_be_delivered_again(found: Verification, code: Exit) -> None:
    assert found.exit is code


def test_garbage_is_worth_what_was_charged_or_the_price_where_nobody_said() -> None:
    charged = replace(UNKNOWN, cost=20)
    found = Garbage((UNKNOWN, charged), (), 0, (), kept_paid=(replace(UNKNOWN, cost=0),))
    assert (found.price, found.kept_price) == (70, 0)


def test_only_an_unknown_outcome_that_waits_for_time_settles_itself() -> None:
    assert settles_itself(TIME)
    assert settles_itself(RUN)
    assert not settles_itself(UNKNOWN)
    assert not settles_itself(PERSON)
    assert not settles_itself(replace(TIME, state=State.PAID_UNFETCHED))


def test_held_attempts_are_split_into_those_that_need_a_person_and_the_others() -> None:
    found = Resolution((UNKNOWN, TIME, PERSON))
    assert found.by_itself == (TIME,)
    assert found.waiting == (UNKNOWN, PERSON)
    assert found.price == 150


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (Resolution(()), Exit.OK),
        (Resolution((TIME,)), Exit.UNKNOWN),
        (Resolution((replace(UNKNOWN, state=State.PAID_UNFETCHED),)), Exit.UNKNOWN),
        (Resolution((replace(UNKNOWN, state=State.READY),)), Exit.OK),
        (Resolution((UNKNOWN,), over_cap=(UNKNOWN,)), Exit.BUDGET),
    ],
)
def test_a_resolution_ends_with_what_it_left(found: Resolution, code: Exit) -> None:
    assert found.exit is code


def test_a_difference_of_the_bill_is_a_failure_but_a_doubt_is_graver() -> None:
    one = Finding(Difference.COST_DIFFERS, "r", "m", 1, 2, 0.0)
    same = Reconciliation(("b",), 0.0, 1.0, (), (), 1, (), Resolution(()))
    assert same.exit is Exit.OK
    assert replace(same, findings=(one,)).exit is Exit.JOBS_FAILED
    assert replace(same, findings=(one,), resolution=Resolution((TIME,))).exit is Exit.UNKNOWN
