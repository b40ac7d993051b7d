from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relightflow.backends.emulator.faults.reading import parse, read
from relightflow.errors import UsageError


def test_reads_a_rule_with_all_its_fields() -> None:
    plan = parse(
        "seed: 7\nrules: [{at: [submit, upload], nth: [1, 3], limit: 1, model: ic-light, api: v2,"
        " fault: reset-after-body, with: {billed: false}}]"
    )
    (rule,) = plan.rules
    assert plan.seed == 7
    assert (rule.kind.name, rule.at, rule.nth) == ("reset-after-body", ("submit", "upload"), (1, 3))
    assert (rule.limit, rule.model, rule.api) == (1, "ic-light", "v2")
    assert rule.options == {"billed": False}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("{at: submit, fault: rest-after-body}", "did you mean 'reset-after-body'?"),
        ("{at: submitt, fault: empty}", "rules[0].at: 'submitt' is not a phase"),
        ("{fault: empty}", "rules[0].at: missing"),
        ("{at: submit, fault: empty, propability: 0.1}", "did you mean 'probability'?"),
        ("{at: submit, fault: empty, probability: 3}", "3 is not between 0 and 1"),
        ("{at: submit, fault: empty, nth: 0}", "rules[0].nth: 0 is not an integer of at least 1"),
        ("{at: submit, fault: empty, nth: 1, every: 2}", "give only one of nth, every"),
        ("{at: download, fault: job-failed}", "job-failed cannot happen at download"),
        ("{at: submit, fault: status}", "rules[0].with.code: must be given for status"),
        ("{at: submit, fault: status, with: {code: x}}", "code: 'x' is not an integer"),
        ("{at: submit, fault: hang, with: {how: x}}", "how: not an option of hang; known: billed"),
        ("{at: submit, fault: cut, with: {how: x}}", "how: 'x' is not one of reset, close"),
        ("{at: submit, api: v3, fault: empty}", "rules[0].api: 'v3' is not v1 or v2"),
        ("{at: status, where: {a: b}, fault: empty}", "rules[0].where: only a submit has fields"),
        ("{at: submit, where: left, fault: empty}", "rules[0].where: is not a mapping"),
        ("3", "rules[0]: 3 is not a mapping"),
    ],
)
def test_says_what_is_wrong_with_a_rule(rule: Any, words: Any) -> None:
    with pytest.raises(UsageError) as caught:
        parse(f"rules: [{rule}]")
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "rules: 3", "a: b", "\x01", "[" * 5000])
def test_refuses_what_is_no_plan(text: Any) -> None:
    with pytest.raises(UsageError, match=r"^fault plan: [^\n]*$"):
        parse(text)


def test_names_the_line_of_broken_yaml() -> None:
    with pytest.raises(UsageError, match=r"^fault plan:2: not valid YAML$"):
        parse("rules:\n  - }\n")


def test_tells_every_problem_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        parse("seed: x\nrules: [{at: x, fault: y}, {at: submit, fault: z}]")
    assert len(str(caught.value).splitlines()) == 4


def test_names_the_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml: cannot be read"):
        read(tmp_path / "none.yaml")
