"""The rule itself; tests/cli/test_shared_places.py has what a user sees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relightflow.deliver.overlap import PlannedSinks, check_together
from relightflow.deliver.target import SinkTarget
from relightflow.errors import InvalidRecipe
from relightflow.model.catalog import FREE, Model, Parameter
from relightflow.model.image import Image
from relightflow.model.plan import Plan
from relightflow.model.recipe import Axis, BackendSpec, Matrix, Recipe, SinkSpec
from relightflow.model.values import FrozenMap
from relightflow.plan.build import build


class Sink:
    def __init__(self, location: str) -> None:
        self.location = location


def target(location: str, name: str | None, *writes: str) -> SinkTarget:
    sink: Any = Sink(location)
    return SinkTarget(sink, "t", "files", name, "r", FrozenMap({}), writes=writes)


def plan(file: str) -> Plan:
    model = Model("m", (Parameter("a", values=("x", "y"), default="x"),), FREE)
    recipe = Recipe(
        "r",
        Path(file),
        "",
        (),
        BackendSpec("b", model, FrozenMap({})),
        Matrix((Axis("a", ("x", "y")),)),
        sinks=(SinkSpec("t", FrozenMap({"uri": "s3://b/"})),),
    )
    image = Image("p/cup.jpg", "0" * 64, 1, 1, 1, "image/png", 0, "")
    return build(recipe, [image])


ONE, TWO = plan("one.yaml"), plan("two.yaml")


def clash(first: SinkTarget, second: SinkTarget) -> str:
    with pytest.raises(InvalidRecipe) as caught:
        check_together([PlannedSinks(ONE, [first]), PlannedSinks(TWO, [second])])
    return str(caught.value)


def apart(first: SinkTarget, second: SinkTarget) -> None:
    check_together([PlannedSinks(ONE, [first]), PlannedSinks(TWO, [second])])


def test_files_in_a_bucket_are_compared_as_well() -> None:
    said = clash(target("s3://b/x/", "{a}"), target("s3://b/", "x/{a}"))
    assert "two.yaml: sinks[0].uri: writes s3://b/x/x; one.yaml (sinks[0]) writes it too" in said
    apart(target("s3://b/x/", "{a}"), target("s3://c/", "x/{a}"))


def test_letter_case_is_no_difference(tmp_path: Path) -> None:
    clash(target(f"{tmp_path}/Out", "{a}"), target(f"{tmp_path}/out", "{a}"))


def test_a_folder_whose_name_only_begins_alike_is_another(tmp_path: Path) -> None:
    apart(target(f"{tmp_path}/out", "{a}"), target(f"{tmp_path}/out2", "{a}"))


def test_a_link_to_the_folder_is_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to("out")
    clash(target(f"{tmp_path}/out", "{a}"), target(f"{tmp_path}/link", "{a}"))


def test_fixed_names_are_compared_with_fixed_names(tmp_path: Path) -> None:
    place = str(tmp_path)
    clash(target(place, "1{a}", "{image.stem}.jpg"), target(place, "2{a}", "cup.jpg"))
    clash(target(place, "1{a}", "{recipe}.zip"), target(place, "2{a}", "r.zip"))
    apart(target(place, "1{a}", "one.csv"), target(place, "2{a}", "two.csv"))


def test_what_a_command_selects_makes_no_difference(tmp_path: Path) -> None:
    one, two = target(str(tmp_path), "{a}"), target(str(tmp_path), "{a}")
    part = replace(ONE, cells=(), outputs_count=0, whole=ONE)
    with pytest.raises(InvalidRecipe):
        check_together([PlannedSinks(part, [one]), PlannedSinks(TWO, [two])])
