from __future__ import annotations

import pytest

from relightflow.errors import InvalidRecipe, Problem
from relightflow.recipe.findings import MOST, Findings, spelled
from relightflow.recipe.reading import read

TREE, _ = read("b: [1, 2]\na:\n  c: 3\n", "r")


def settled(findings: Findings) -> list[str]:
    with pytest.raises(InvalidRecipe) as caught:
        findings.settle()
    return [str(problem) for problem in caught.value.problems]


def test_nothing_found_is_nothing_raised() -> None:
    Findings(TREE).settle()


def test_problems_are_told_in_the_files_order_whatever_order_they_came_in() -> None:
    findings = Findings(TREE)
    findings.at_value(("a", "c"), "third")
    findings.at_key(("a",), "second")
    findings.at_value(("b", 1), "first")
    assert settled(findings) == ["r:1:8: b[1]: first", "r:2:1: a: second", "r:3:6: a.c: third"]


def test_a_value_that_could_not_be_read_is_told_once() -> None:
    findings = Findings(TREE, [Problem("r", 3, 6, "a.c", "unreadable")])
    findings.at_value(("a", "c"), "expected text, found nothing")
    assert settled(findings) == ["r:3:6: a.c: unreadable"]


def test_the_same_said_twice_is_told_once() -> None:
    findings = Findings(TREE)
    for _ in range(2):
        findings.at_value(("b",), "no")
    assert settled(findings) == ["r:1:4: b: no"]


def test_collecting_ends_when_there_are_too_many() -> None:
    findings = Findings(TREE)
    for number in range(MOST):
        findings.at_value(("b", 0), f"no {number}")
    with pytest.raises(InvalidRecipe) as caught:
        findings.at_value(("b", 0), "one more")
    assert len(caught.value.problems) == MOST + 1


def test_a_path_is_spelled_as_messages_show_it() -> None:
    assert spelled(("sinks", 0, "a b", "c")) == "sinks[0]['a b'].c"
