import pytest

from relightflow.errors import UsageError
from relightflow.store.rehearsal import rehearsed, rehearsing

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


FAL, HERE, AWAY = "RELIGHTFLOW_FAL_URL", "http://127.0.0.1:1", "https://gateway.example"
BROUGHT = {
    "segmind": "relightflow",
    "fal": "relightflow",
    "glow": "a plugin",
    "comfyui": "relightflow",
}


def test_a_paid_backend_without_a_stand_in_is_refused_beside_one_that_has_it() -> None:
    with pytest.raises(UsageError, match="set RELIGHTFLOW_FAL_URL as well"):
        rehearsed({URL: HERE}, ["segmind", "fal"], BROUGHT)
    assert rehearsed({URL: HERE}, ["segmind"], BROUGHT)
    assert rehearsed({FAL: HERE, URL: "http://[::1]"}, ["segmind", "fal"], BROUGHT)
    assert rehearsed({"RELIGHTFLOW_STUDIO_URL": HERE}, ["glow"], BROUGHT), "a plugin's own name"
    assert not rehearsed({}, ["fal"], BROUGHT)
    assert not rehearsed({URL: HERE}, [], BROUGHT)


@pytest.mark.parametrize("paid", [["fal"], ["segmind", "fal"]])
def test_a_misspelt_variable_is_no_stand_in(paid: list[str]) -> None:
    with pytest.raises(UsageError, match="'fal' would go to its real provider"):
        rehearsed({"RELIGHTFLOW_FALL_URL": HERE, URL: HERE}, paid, BROUGHT)


@pytest.mark.parametrize("other", [FAL, "RELIGHTFLOW_RUNWARE_URL"])
def test_an_emulator_beside_a_server_elsewhere_is_neither_a_rehearsal_nor_a_purchase(
    other: str,
) -> None:
    environ = {URL: HERE, other: AWAY}
    with pytest.raises(UsageError, match=f"{URL} names a server on this machine and {other} one"):
        rehearsed(environ, ["segmind", "fal"], BROUGHT)
    assert not rehearsed(environ, ["fal"], BROUGHT), "the emulator makes nothing of this recipe"
    assert not rehearsed({**environ, "RELIGHTFLOW_REHEARSAL": "no"}, ["segmind", "fal"], BROUGHT)
    assert not rehearsed({URL: AWAY, FAL: AWAY}, ["segmind", "fal"], BROUGHT)
