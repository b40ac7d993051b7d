from __future__ import annotations

from relightflow.model.attempt import IN_DOUBT, LEGAL, OPEN, State


def _reached(start: State) -> set[State]:
    found, new = {start}, [start]
    while new:
        after = LEGAL[new.pop()] - found
        found |= after
        new += after
    return found


def test_every_state_has_its_moves_and_none_stays_where_it_is() -> None:
    assert LEGAL.keys() == set(State)
    assert not [state for state, after in LEGAL.items() if state in after]


def test_an_attempt_begins_as_an_intent_and_only_there() -> None:
    assert State.INTENT not in frozenset().union(*LEGAL.values())
    assert _reached(State.INTENT) == set(State)


def test_an_attempt_that_ended_unbilled_never_moves_again() -> None:
    assert LEGAL[State.READY] == frozenset()


def test_an_image_that_is_stored_is_given_up_by_nothing_but_the_users_word() -> None:
    for state in (State.STORED, State.DONE):
        assert _reached(state) <= {State.STORED, State.DONE, State.READY}
    assert LEGAL[State.DONE] == LEGAL[State.FAILED] == {State.READY}


def test_a_call_that_was_paid_or_taken_is_not_ready_to_be_bought_without_a_doubt_first() -> None:
    for state in (State.ACCEPTED, State.RESULT_KNOWN, State.PAID_UNFETCHED):
        assert State.READY not in LEGAL[state]


def test_money_in_flight_is_every_state_that_can_still_become_an_image_or_a_doubt() -> None:
    settled = {State.READY, State.FAILED, State.STORED, State.DONE}
    assert set(State) - settled == OPEN
    assert IN_DOUBT < OPEN
