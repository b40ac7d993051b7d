from __future__ import annotations

import json

import pytest

from relightflow.model.evidence import NOTE, Needs, Undecided, undecided
from relightflow.model.values import FrozenMap, canonical_json


@pytest.mark.parametrize(
    "found",
    [
        Undecided(Needs.TIME, "the history lags", 1_700_000_000.5, 1_600_000_000.0),
        Undecided(Needs.PURCHASE, "no later call of ours"),
        Undecided(Needs.PERSON, "two rows fit"),
    ],
)
def test_a_note_survives_the_ledgers_json(found: Undecided) -> None:
    assert undecided(json.loads(canonical_json(found.note))) == found
    assert undecided(FrozenMap({"seed": 1, **found.note})) == found


@pytest.mark.parametrize(
    "details",
    [
        {},
        {NOTE: None},
        {NOTE: "time"},
        {NOTE: {"needs": "time"}},
        {NOTE: {"needs": "luck", "why": "x"}},
        {NOTE: {"needs": ["time"], "why": "x"}},
        {NOTE: {"needs": "time", "why": 3}},
    ],
)
def test_a_note_that_cannot_be_read_is_none(details: dict[str, object]) -> None:
    assert undecided(details) is None


@pytest.mark.parametrize("moment", [None, "soon", True, [1]])
def test_a_moment_that_is_none_leaves_the_rest(moment: object) -> None:
    note = {"needs": "time", "why": "x", "at": moment, "absent_at": 5}
    assert undecided({NOTE: note}) == Undecided(Needs.TIME, "x", None, 5.0)
