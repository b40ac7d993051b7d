from relightflow.model.reservation import Reservation, Reserved

ONE = Reservation("a" * 32, "run-1", "host-1", "spring", 0.0, 500)


def test_what_ended_goes_on_counting_and_what_is_open_stands_once() -> None:
    state = Reserved().with_open(ONE, "1").with_open(ONE, "2")
    assert (state.number, state.open, state.find(ONE.id)) == (2, (ONE,), ONE)
    ended = state.without(ONE, 30, "3").without(ONE, 12, "4")
    assert (ended.number, ended.open, ended.find(ONE.id)) == (4, (), None)
    assert (ended.ended_for("spring"), ended.ended_for("autumn")) == (42, 0)
