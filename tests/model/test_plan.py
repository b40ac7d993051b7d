from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from relightflow.model.plan import Selection


def test_a_selection_of_nothing_keeps_everything() -> None:
    assert Selection() == Selection(only=(), limit=None)


def test_a_selection_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Selection().limit = 3  # type: ignore[misc]  # that it is refused is the point
