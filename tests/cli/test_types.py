import pytest

from relightflow.cli import types


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("1.5s", 1.5), ("50m", 3000), ("1h30m", 5400), ("2h", 7200)],
)
def test_durations(text: str, seconds: float) -> None:
    assert types.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5d", "m", "1.5h"])
def test_what_is_no_duration_is_told_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="use the form 90s, 50m or 1h30m"):
        types.duration(text)


@pytest.mark.parametrize("text", ["5", "5.00", " 5 USD "])
def test_amounts(text: str) -> None:
    assert types.usd(text) == 5_000_000


@pytest.mark.parametrize("text", ["five", "nan", "-1", "inf", ""])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount in USD"):
        types.usd(text)


@pytest.mark.parametrize("text", ["0", "0.00", "0 USD"])
def test_a_paid_call_has_a_price(text: str) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        types.price(text)
    assert types.price("0.05") == 50_000


def test_a_selection_has_an_axis_and_values() -> None:
    assert types.only("light_direction=left, right") == ("light_direction", ("left", "right"))


@pytest.mark.parametrize("text", ["left", "=left", "axis=", "axis=,"])
def test_what_selects_nothing_is_told_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="selects nothing; use the form axis=value"):
        types.only(text)
