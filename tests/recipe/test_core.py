from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator

from relightflow.model.spending import allowance
from relightflow.recipe.building import rate as read_rate
from relightflow.recipe.core import BUDGET, CORE, SAMPLES

FIELDS: dict[str, Any] = CORE["properties"]
LIMITS: dict[str, Any] = FIELDS["limits"]["properties"]


def _fields(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, rule in schema.get("properties", {}).items():
        yield f"{path}.{name}", rule
        yield from _fields(rule, f"{path}.{name}")


@pytest.mark.parametrize("schema", [CORE, *SAMPLES.values()])
def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    Draft7Validator.check_schema(schema)


def test_every_field_is_described_and_every_pattern_has_words() -> None:
    told = [(path, rule) for path, rule in _fields(CORE) if not path.endswith(".type")]
    assert [path for path, rule in told if not rule.get("description")] == []
    assert [
        path for path, rule in told if "pattern" in rule and "patternErrorMessage" not in rule
    ] == []


def test_every_default_is_valid() -> None:
    for path, rule in _fields(CORE):
        if "default" in rule:
            assert Draft7Validator(rule).is_valid(rule["default"]), path


@pytest.mark.parametrize("name", ["a", "spring-2026", "a_b-c", "9"])
def test_a_name_is_lower_case_with_single_separators(name: str) -> None:
    assert Draft7Validator(FIELDS["name"]).is_valid(name)


@pytest.mark.parametrize(
    "name", ["", "A", "a--b", "-a", "a-", "a b", "ä", "a/b", ".", "a\n", "\na", "a" * 65]
)
def test_no_other_name_is_taken(name: str) -> None:
    assert not Draft7Validator(FIELDS["name"]).is_valid(name)


@pytest.mark.parametrize("asked", ["50/1m", "50/5s", "2/h", "1/1s", "9999999/999999h"])
def test_what_the_schema_calls_a_rate_can_be_read_as_one(asked: str) -> None:
    assert Draft7Validator(LIMITS["rate"]).is_valid(asked)
    read_rate(asked)


@pytest.mark.parametrize(
    "asked", ["", "50", "0/1m", "50/0m", "50/1d", "5.5/m", "50/1m\n", " 50/1m"]
)
def test_no_other_rate_is_taken(asked: str) -> None:
    assert not Draft7Validator(LIMITS["rate"]).is_valid(asked)


@pytest.mark.parametrize("budget", ["20/7d", "5/12h", "50/4w", "0.000001/d", "9999999/9999w"])
def test_what_the_schema_calls_a_budget_can_be_read_as_one(budget: str) -> None:
    assert re.search(BUDGET, budget)
    assert allowance(budget).amount > 0


@pytest.mark.parametrize("budget", ["", "20", "20/0d", "20/7m", "1.0000001/d", "20/7d\n", "٢/d"])
def test_no_other_budget_is_taken(budget: str) -> None:
    assert not Draft7Validator(LIMITS["budget"]).is_valid(budget)


def test_a_strategy_takes_its_own_fields_and_no_others() -> None:
    whole = {"strategy": "first", "count": 3, "seed": 1}
    for strategy, schema in SAMPLES.items():
        asked = {name: whole[name] for name in schema["required"]} | {"strategy": strategy}
        assert Draft7Validator(schema).is_valid(asked)
        assert not Draft7Validator(schema).is_valid({**asked, "colour": 1})
    assert not Draft7Validator(SAMPLES["full"]).is_valid(whole | {"strategy": "full"})
    assert not Draft7Validator(SAMPLES["random"]).is_valid({"strategy": "random"})
