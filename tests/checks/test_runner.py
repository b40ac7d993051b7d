"""Checks over a plan: in order, from the cache, and whatever a check or a file does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relightflow.checks.measuring import ImageReader
from relightflow.checks.runner import Checker, make_checks, open_checks
from relightflow.errors import DamagedError, InvalidRecipe
from relightflow.model.catalog import FREE, Model
from relightflow.model.check import CheckResult, CheckSpec, Verdict
from relightflow.model.image import Image
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.values import FrozenMap
from relightflow.plugins.check import CheckView, Measured
from relightflow.plugins.records import CheckContext, CheckRecord
from relightflow.plugins.registry import Loaded, Registry, load
from tests.checks.drawn import as_bytes, output, scene

BYTES = {name: as_bytes(scene(seed)) for seed, name in enumerate(("source", "a", "b", "c"))}


class Wide:
    """Passes what is wider than high; counts what it measured."""

    measured: list[str]

    def __init__(self, context: CheckContext) -> None:
        self.context = context
        self.basis = str(context.options.get("basis", ""))

    def measure(self, view: CheckView) -> Any:
        self.measured.append(view.output.job.id)
        return view.result.width > view.result.height

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        return [CheckResult(Verdict.PASS, float(item.value)) for item in results]


class Broken(Wide):
    def measure(self, view: CheckView) -> Any:
        if view.output.cell["n"] == 1:
            raise ZeroDivisionError("no light")
        return True


class Short(Wide):
    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        return []


class Refusing(Wide):
    def __init__(self, context: CheckContext) -> None:
        raise ValueError("no such folder")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setattr(Wide, "measured", [], raising=False)
    kinds = {"wide": Wide, "broken": Broken, "short": Short, "refusing": Refusing}
    records = {name: CheckRecord(name, "For tests", kind) for name, kind in kinds.items()}
    mine = {name: Loaded(record, "test") for name, record in records.items()}
    return replace(load(found=lambda: ()), checks=mine)


def checker(registry: Registry, *names: str, **options: Any) -> Checker:
    specs = [CheckSpec(name, "fail", FrozenMap(options)) for name in names]
    return make_checks(specs, registry, Path())


def results(*names: str, image: str = "one") -> list[tuple[Output, Result | None]]:
    found: list[tuple[Output, Result | None]] = []
    for n, name in enumerate(names):
        made = output(n, {"n": n})
        made = replace(made, image=replace(made.image, name=image))
        result = Result(name * 64, 1, 320, 240, "image/png") if name else None
        found.append((made, result))
    return found


def images(cache: Path | None = None, damaged: str = "", lost: bool = False) -> ImageReader:
    def result(wanted: Result) -> bytes:
        if wanted.sha256[0] == damaged:
            raise DamagedError("its bytes are wrong")
        return BYTES[wanted.sha256[0]]

    def source(_: Image) -> bytes:
        if lost:
            raise OSError("gone")
        return BYTES["source"]

    return ImageReader(result, source, cache)


def test_verdicts_come_in_plan_order_and_an_output_without_a_result_has_none(
    registry: Registry,
) -> None:
    every = results("a", "", "b") + results("", "c", image="two")
    found = list(checker(registry, "wide").verdicts(every, images()))
    assert [[check.name for check in one] for one in found] == [
        ["wide"],
        [],
        ["wide"],
        [],
        ["wide"],
    ]


def test_a_second_time_nothing_is_measured_until_something_changes(
    registry: Registry, tmp_path: Path
) -> None:
    def measured(names: Sequence[str], **options: Any) -> int:
        before = len(Wide.measured)
        list(checker(registry, "wide", **options).verdicts(results(*names), images(tmp_path)))
        return len(Wide.measured) - before

    assert measured(["a", "b"]) == 2
    assert measured(["a", "b"]) == 0
    assert measured(["a", "c"]) == 2, "another result"
    assert measured(["a", "b"], x=1) == 2, "another option"
    assert measured(["a", "b"], basis="files") == 2, "other files"
    next((tmp_path / "checks").glob("*/*.json")).write_text("[1, 2")
    assert measured(["a", "b"]) + measured(["a", "c"]) + measured(["a", "b"], x=1) in (0, 2)


def test_verdicts_without_the_input_image_are_not_kept(registry: Registry, tmp_path: Path) -> None:
    list(checker(registry, "wide").verdicts(results("a"), images(tmp_path, lost=True)))
    assert not (tmp_path / "checks").exists()


def test_a_check_that_raises_costs_itself_and_that_result_only(registry: Registry) -> None:
    found = list(checker(registry, "broken", "wide").verdicts(results("a", "b"), images()))
    assert [check.verdict for one in found for check in one] == ["pass", "pass", "error", "pass"]
    assert found[1][0].message == "ZeroDivisionError: no light"


def test_a_check_that_answers_nonsense_is_named(registry: Registry) -> None:
    found = list(checker(registry, "short").verdicts(results("a"), images()))
    assert found[0][0].verdict == "error"
    assert "one verdict for each" in found[0][0].message


def test_a_damaged_result_is_an_error_of_its_own(registry: Registry) -> None:
    found = list(checker(registry, "wide").verdicts(results("a", "b"), images(damaged="a")))
    assert [one[0].verdict for one in found] == ["error", "pass"]
    assert found[0][0].message == "the result cannot be read: its bytes are wrong"


def test_nothing_more_is_checked_once_it_is_told_to_stop(registry: Registry) -> None:
    every = results("a") + results("b", image="two")
    asked = iter([False, True])
    found = list(checker(registry, "wide").verdicts(every, images(), lambda: next(asked)))
    assert [len(one) for one in found] == [1, 0]


def test_a_check_that_cannot_be_made_is_a_problem_of_the_recipe(
    registry: Registry, tmp_path: Path
) -> None:
    backend = BackendSpec("preview", Model("preview", (), FREE), FrozenMap())
    specs = (CheckSpec("refusing", "fail", FrozenMap()),)
    recipe = Recipe("r", tmp_path / "r.yaml", "0" * 64, (), backend, checks=specs)
    with pytest.raises(
        InvalidRecipe, match=r"checks\[0\]: the check cannot be made: .*no such folder"
    ):
        open_checks(recipe, registry)
