from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from relightflow.model.catalog import Price
from relightflow.model.plan import Plan, Selection
from relightflow.model.recipe import Recipe, SinkSpec, SourceSpec
from relightflow.model.values import FrozenMap
from relightflow.plan.build import build
from relightflow.plan.chained import chained, manifests


def recipe(make: Any, name: str, reads: str = "", **options: Any) -> Recipe:
    """One that writes to out/NAME, and reads the manifest in out/READS."""
    source = SourceSpec("glob", FrozenMap({"include": ("*",)}))
    if reads:
        facts = {"path": f"out/{reads}/manifest.jsonl", **options}
        source = SourceSpec("manifest", FrozenMap(facts))
    sink = SinkSpec("directory", FrozenMap({"path": f"out/{name}/"}))
    found: Recipe = make.recipe(make.matrix({"a": ["x", "y"]}))
    return replace(found, name=name, path=Path(f"{name}.yaml"), sources=(source,), sinks=(sink,))


def first(make: Any) -> Plan:
    return build(recipe(make, "cut"), [make.image("1.png"), make.image("2.png")])


def test_each_output_of_the_earlier_plan_stands_for_an_image(make: Any) -> None:
    cut = first(make)
    lit = chained(recipe(make, "lit", "cut"), [cut], Selection())
    assert lit is not None
    assert (len(lit.images), lit.jobs_count) == (4, 8)
    assert lit.price == Price(8 * 10_000, 8 * 50_000)
    large = chained(recipe(make, "large", "lit"), [cut, lit], Selection())
    assert large is not None
    assert large.jobs_count == 16
    assert "'cut' makes its images first" in lit.warnings[-1]


def test_a_recipe_that_nobody_makes_the_images_for_is_not_chained(make: Any) -> None:
    assert chained(recipe(make, "lit", "other"), [first(make)], Selection()) is None
    assert chained(recipe(make, "lit"), [first(make)], Selection()) is None


def test_a_part_of_a_manifest_cannot_be_counted_before_it_is_there(make: Any) -> None:
    assert not manifests(recipe(make, "lit", "cut", include=("a*",)))
    assert manifests(recipe(make, "lit", "cut")) == [str(Path("out/cut/manifest.jsonl").resolve())]
