import json as std
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft7Validator

from relightflow.errors import BudgetError, Exit, InvalidRecipe, Problem
from relightflow.model.attempt import Attempt, State
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.failure import Billed
from relightflow.model.plan import Plan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.status import Status
from relightflow.model.summary import Issue, Summary
from relightflow.model.values import FrozenMap
from relightflow.recipe import published
from relightflow.report import json


def test_a_document_is_one_line_of_ascii() -> None:
    line = json.text({"name": "日本\n\x1b"})
    assert line.isascii()
    assert line.isprintable()


def test_a_document_holds_no_command_for_a_log() -> None:
    line = json.text({"name": "##[error]x"})
    assert "##[" not in line
    assert std.loads(line) == {"name": "##[error]x"}


@pytest.mark.parametrize("items", [[], [{"n": 1}], [{"n": 1}, {"n": 2}]])
def test_a_streamed_list_makes_one_document(items: list[dict[str, Any]]) -> None:
    whole = "".join(json.stream({"kind": "x"}, "outputs", items))
    assert std.loads(whole) == {"kind": "x", "outputs": items}


def test_a_plan_says_work_money_and_cap(
    plan: Plan, plan_status: PlanStatus, estimate: CostEstimate
) -> None:
    found = json.plan(plan, plan_status, estimate)
    wanted = {"new": 3, "work": True, "cap_usd": 1.0, "cap_suffices": True}
    assert {name: found[name] for name in wanted} == wanted
    assert found["price_usd"] == {"low": 0.15, "high": 0.15}


def test_an_unknown_price_is_null(
    plan: Plan, plan_status: PlanStatus, estimate: CostEstimate
) -> None:
    assert json.plan(plan, plan_status, replace(estimate, price=None))["price_usd"] is None


def test_a_summary_carries_exit_counts_and_money(summary: Summary) -> None:
    found = json.summary(summary)
    assert found["exit"] == {"code": 0, "meaning": "everything requested is in place", "all": []}
    assert found["counts"]["made"] == 3
    assert found["money"]["spent_usd"] == 0.15


def test_a_summary_keeps_its_schema_with_every_field_declared(summary: Summary) -> None:
    issue = Issue(Exit.UNKNOWN, "no answer", ("a.png",), 3)
    document = json.summary(replace(summary, issues=(issue,), notices=("n",)))
    schema = published("summary")
    Draft7Validator(schema).validate(document)
    assert set(document) == set(schema["properties"])
    for part in ("counts", "money", "exit"):
        assert set(document[part]) == set(schema["properties"][part]["properties"])


def test_a_status_never_holds_the_url_of_a_result() -> None:
    doubt = Attempt(
        1, "f" * 64, "r", State.UNKNOWN, "studio", "glow", "a" * 64, FrozenMap(), 0,
        50_000, None, Billed.UNKNOWN, "", "https://secret/x", "", "", 0.0, 0.0,
    )  # fmt: skip
    line = json.text(json.status(Status("/p", None, 0, 0, 0, (), (doubt,))))
    assert "secret" not in line
    assert '"price_usd": 0.05' in line


def test_an_invalid_recipe_lists_its_problems_with_places() -> None:
    error = InvalidRecipe([Problem("r.yaml", 3, 5, "matrix", "no")])
    assert json.failed("r.yaml", error)["problems"] == [
        {"file": "r.yaml", "line": 3, "column": 5, "path": "matrix", "message": "no"}
    ]


def test_another_error_says_its_exit_code() -> None:
    found = json.failed("r.yaml", BudgetError("too dear"))
    assert (found["error"], found["exit"], found["problems"]) == ("BudgetError", 7, [])


def test_a_plan_of_several_backends_lists_them(
    several: Plan, plan_status: PlanStatus, of_several: CostEstimate, plan: Plan
) -> None:
    document = json.plan(several, plan_status, of_several)
    assert (document["backend"], document["model"]) == ("studio, draft, best", "glow, draft, glare")
    *_, best = document["backends"]
    assert best == {
        "label": "best", "backend": "studio", "model": "glare", "calls": 2,
        "price_usd": {"low": 0.12, "high": 0.16}, "call_usd": {"low": 0.06, "high": 0.08},
        "share_usd": 0.5, "share_left_usd": 0.4,
    }  # fmt: skip
    assert "backends" not in json.plan(plan, plan_status, replace(of_several, backends=()))
