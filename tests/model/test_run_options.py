from __future__ import annotations

from dataclasses import fields

from relightflow.model.run_options import RunOptions


def test_an_operator_who_says_nothing_allows_nothing_beyond_the_recipe() -> None:
    said = RunOptions()
    assert not any(getattr(said, field.name) for field in fields(said))
