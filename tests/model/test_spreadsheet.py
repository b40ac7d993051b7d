from __future__ import annotations

import pytest

from relightflow.model.spreadsheet import cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＠x"]
)
def test_what_could_be_a_formula_is_text(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=b", "photos/left-1.png", "'=1", "3"])
def test_what_could_not_be_one_is_not_changed(text: str) -> None:
    assert cell(text) == text
