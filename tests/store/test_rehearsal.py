import pytest

from relightflow.errors import UsageError
from relightflow.store.rehearsal import check_stand_in, rehearsing

URL = "RELIGHTFLOW_SEGMIND_URL"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8600", "http://localhost:1/", " http://[::1]:9 ", "https://127.9.9.9"]
)
def test_a_stand_in_on_this_machine_is_a_rehearsal(url: str) -> None:
    assert rehearsing({URL: url})
    assert rehearsing({"RELIGHTFLOW_STUDIO_URL": url})
    assert not rehearsing({URL: url, "RELIGHTFLOW_REHEARSAL": "no"})


@pytest.mark.parametrize("url", ["https://gateway.example", "https://10.0.0.1", "http://[", ""])
def test_a_gateway_elsewhere_may_cost_money(url: str) -> None:
    assert not rehearsing({URL: url})


def test_the_operator_may_say_that_a_server_elsewhere_is_a_rehearsal() -> None:
    assert rehearsing({URL: "https://emulator.example", "RELIGHTFLOW_REHEARSAL": "Yes"})


def test_without_a_stand_in_nothing_is_a_rehearsal_whatever_the_operator_says() -> None:
    assert not rehearsing({"RELIGHTFLOW_REHEARSAL": "yes", "RELIGHTFLOW_STORE": "file:///s"})


def test_one_of_several_stand_ins_that_may_cost_money_is_enough() -> None:
    assert not rehearsing({URL: "http://127.0.0.1:1", "RELIGHTFLOW_GLOW_URL": "https://a.example"})


def test_another_word_is_no_answer() -> None:
    with pytest.raises(UsageError, match="must be yes or no"):
        rehearsing({"RELIGHTFLOW_REHEARSAL": "maybe"})


def test_a_paid_backend_without_a_stand_in_is_refused_beside_one_that_has_it() -> None:
    names = ("segmind", "fal", "glow")
    with pytest.raises(UsageError, match="set RELIGHTFLOW_FAL_URL as well"):
        check_stand_in({URL: "http://127.0.0.1:1"}, "fal", names)
    check_stand_in({URL: "http://127.0.0.1:1"}, "segmind", names)
    check_stand_in({"RELIGHTFLOW_FAL_URL": "http://127.0.0.1:1", URL: "http://[::1]"}, "fal", names)
    check_stand_in({"RELIGHTFLOW_STUDIO_URL": "http://127.0.0.1:1"}, "glow", names)
    check_stand_in({}, "fal", names)
