import pytest

from relightflow.plan.checked import Checked, Flawed


def test_the_place_of_what_is_wrong_is_told() -> None:
    found = Checked({"a": {"b": [{"c": "x"}]}}, "")
    (item,) = found.inside("a").items("b")
    with pytest.raises(Flawed) as flaw:
        item.whole("c")
    assert flaw.value.where == "a.b[0].c"


def test_fields_for_others_are_allowed() -> None:
    Checked({"x-note": 1}, "").only()
    with pytest.raises(Flawed, match="not a known field"):
        Checked({"note": 1}, "").only()


def test_a_boolean_is_no_number() -> None:
    with pytest.raises(Flawed):
        Checked({"n": True}, "").number("n")
    with pytest.raises(Flawed):
        Checked({"n": True}, "").whole("n")
