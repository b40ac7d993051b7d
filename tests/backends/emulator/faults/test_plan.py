from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from relightflow.backends.emulator.faults.plan import Chooser
from relightflow.backends.emulator.faults.reading import parse


@dataclass
class Seen:
    """As much of a call as a rule looks at."""

    phase: str = "submit"
    name: str = "segmind-relighting"
    api: str = "v2"
    fields: dict[str, str] = field(default_factory=dict)


def _played(rules: str, calls: list[Seen], seed: int = 0) -> list[str]:
    chooser = Chooser(parse(f"rules: [{rules}]"), seed)
    chosen = [chooser.choose(call) for call in calls]  # type: ignore[arg-type]  # a stand-in
    return [rule.kind.name if rule else "" for rule in chosen]


@pytest.mark.parametrize(
    ("when", "hits"),
    [
        ("nth: 3", [3]),
        ("nth: [1, 4]", [1, 4]),
        ("every: 2", [2, 4, 6]),
        ("every: 2, limit: 2", [2, 4]),
        ("limit: 2", [1, 2]),
        ("probability: 0", []),
        ("probability: 1", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_rule_hits_when_it_says(when: Any, hits: Any) -> None:
    played = _played(f"{{at: submit, {when}, fault: empty}}", [Seen()] * 6)
    assert [n for n, name in enumerate(played, 1) if name] == hits


def test_rule_counts_only_the_calls_it_matches() -> None:
    calls = [Seen("status"), Seen(), Seen(name="ic-light"), Seen(api="v1"), Seen()]
    rule = "{at: submit, model: segmind-relighting, api: v2, nth: 2, fault: empty}"
    assert _played(rule, calls) == ["", "", "", "", "empty"]


def test_first_rule_that_hits_plays_and_the_others_count_on() -> None:
    rules = "{at: submit, nth: 1, fault: empty}, {at: submit, nth: [1, 2], fault: html}"
    assert _played(rules, [Seen()] * 3) == ["empty", "html", ""]


def test_chance_depends_on_the_seed_alone() -> None:
    rule = "{at: submit, probability: 0.5, fault: empty}"
    calls = [Seen()] * 64
    assert _played(rule, calls, seed=1) == _played(rule, calls, seed=1)
    assert _played(rule, calls, seed=1) != _played(rule, calls, seed=2)


def test_rule_can_look_at_the_fields_of_a_submit() -> None:
    left, right = (
        Seen(fields={"light_direction": "left"}),
        Seen(fields={"light_direction": "right"}),
    )
    rule = "{at: submit, where: {light_direction: left}, nth: 2, fault: empty}"
    assert _played(rule, [left, right, left, left]) == ["", "", "empty", ""]
