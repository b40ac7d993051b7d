from dataclasses import replace

from relightflow.model.reservation import Reservation, Reserved, model_id

ONE = Reservation("a" * 32, "run-1", "host-1", "spring", 0.0, 500)


def test_what_ended_goes_on_counting_and_what_is_open_stands_once() -> None:
    state = Reserved().with_open(ONE, "1").with_open(ONE, "2")
    assert (state.number, state.open, state.find(ONE.id)) == (2, (ONE,), ONE)
    ended = state.without(ONE, 30, "3", {}).without(ONE, 12, "4", {})
    assert (ended.number, ended.open, ended.find(ONE.id)) == (4, (), None)
    assert (ended.ended_for("spring"), ended.ended_for("autumn")) == (42, 0)


def test_what_is_known_of_a_model_is_told_apart_and_the_rest_counts_for_each() -> None:
    state = Reserved().without(ONE, 30, "1", {"glow": 10, "dear": 15})
    assert [state.ended_for("spring", model) for model in ("", "glow", "dear", "other")] == [
        30, 15, 20, 5,
    ]  # fmt: skip
    later = state.without(ONE, 7, "2", {"glow": 7})
    assert [later.ended_for("spring", model) for model in ("", "glow", "dear")] == [37, 22, 20]
    assert later.ended_for("autumn", "glow") == 0


def test_a_reservation_that_does_not_tell_its_models_is_one_for_each() -> None:
    assert ONE.part("glow") == ONE.part("") == 500
    told = replace(ONE, parts={"glow": 200})
    assert [told.part(model) for model in ("", "glow", "dear")] == [500, 200, 0]


def test_a_models_name_in_the_store_has_no_characters_of_its_own() -> None:
    assert model_id("fal", "fal-ai/iclight-v2") == "b49c4a49845cbca7"
    assert model_id("fal", "x") != model_id("falx", "")
