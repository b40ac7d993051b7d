"""`check` and `run` with checks, as a user types them."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.checks.drawn import as_bytes, scene
from tests.cli.program import Relightflow

RECIPE = """\
version: 1
name: spring
sources: [{type: glob, include: ["photos/*.png"]}]
matrix:
  light_direction:
    - left
    - right
  light_temperature: [cool, warm]
sinks: [{type: directory, path: out/, name: "{light_direction}-{light_temperature}.{ext}"}]
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.png").write_bytes(as_bytes(scene()))
    path = tmp_path / "spring.yaml"
    path.write_text(RECIPE)
    return path


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def fails(recipe: Path) -> None:
    """A check that no result of the sweep passes."""
    recipe.write_text(RECIPE + "checks:\n  - direction\n  - {type: size, min_width: 4000}\n")


def test_sound_results_pass_and_the_verdicts_stand_in_the_manifest(
    relightflow: Relightflow, recipe: Path, tmp_path: Path
) -> None:
    recipe.write_text(RECIPE + "checks: default\n")
    done = relightflow("run", "spring.yaml")
    assert done.returncode == 0, done.stderr
    found = relightflow("check", "spring.yaml")
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("spring: 4 results, ")
    first = records(tmp_path / "out/manifest.jsonl")[0]
    by_name = {check["name"]: check for check in first["checks"]}
    assert by_name["direction"]["verdict"] == "pass"
    assert by_name["direction"].keys() == {"name", "verdict", "severity", "value", "bound", "unit"}


def test_a_changed_check_rewrites_records_and_no_picture_and_buys_nothing(
    relightflow: Relightflow, recipe: Path, tmp_path: Path
) -> None:
    relightflow("run", "spring.yaml")
    keys = [record["key"] for record in records(tmp_path / "out/manifest.jsonl")]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.png")}
    fails(recipe)
    done = relightflow("run", "spring.yaml", "--json")
    assert done.returncode == 1
    counts = json.loads(done.stdout)["counts"]
    assert (counts["made"], counts["reused"], counts["failed_checks"]) == (0, 4, 4)
    after = records(tmp_path / "out/manifest.jsonl")
    assert [record["key"] for record in after] == keys
    assert {check["verdict"] for record in after for check in record["checks"]} == {"pass", "fail"}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    text = (tmp_path / "out/manifest.jsonl").read_bytes()
    relightflow("run", "spring.yaml")
    assert (tmp_path / "out/manifest.jsonl").read_bytes() == text


def test_a_failure_is_named_with_what_was_measured_and_warnings_do_not_fail(
    relightflow: Relightflow, recipe: Path
) -> None:
    relightflow("run", "spring.yaml")
    fails(recipe)
    found = relightflow("check", "spring.yaml")
    assert found.returncode == 1
    assert "! size: 4 results failed" in found.stdout
    assert (
        "photos/a.png (left, cool): it should be at least 4000 px wide (320 × 240 px"
        in found.stdout
    )
    warned = relightflow(
        "check", "spring.yaml", "--set", "checks=[{type: size, min_width: 4000, severity: warn}]"
    )
    assert warned.returncode == 0
    assert "! size: 4 results failed (warn)" in warned.stdout


def test_junit_has_a_case_for_each_output_and_check_with_the_recipes_line(
    relightflow: Relightflow, recipe: Path, tmp_path: Path
) -> None:
    relightflow("run", "spring.yaml")
    fails(recipe)
    relightflow("check", "spring.yaml", "--junit", "checks.xml")
    suite = ET.parse(tmp_path / "checks.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("8", "4")
    case = next(c for c in suite if c.get("name", "").startswith("size: light_direction=right"))
    assert (case.get("classname"), case.get("file"), case.get("line")) == (
        "photos/a.png", "spring.yaml", "7",
    )  # fmt: skip
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("type") == "size"
    properties = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert properties["value"] == "320 × 240"


def test_a_manifest_is_checked_with_its_images_beside_it(
    relightflow: Relightflow, recipe: Path, tmp_path: Path
) -> None:
    relightflow("run", "spring.yaml")
    found = relightflow("check", "out", "--state", "elsewhere", "--json")
    assert found.returncode == 0, found.stderr
    document = json.loads(found.stdout)
    assert document["counts"]["results"] == 4
    verdicts = {check["name"]: check["verdict"] for check in document["outputs"][0]["checks"]}
    assert verdicts["changed"] == "pass", "the input image was found above the manifest"


def test_before_the_first_run_there_is_nothing_to_check(
    relightflow: Relightflow, recipe: Path, tmp_path: Path
) -> None:
    found = relightflow("check", "spring.yaml")
    assert (found.returncode, found.stdout) == (0, "spring: no results to check yet\n")
    assert not (tmp_path / ".relightflow").exists()


def test_swapped_results_are_caught(relightflow: Relightflow, recipe: Path, tmp_path: Path) -> None:
    """What a provider without a sense of direction would have sold."""
    relightflow("run", "spring.yaml")
    lines = (tmp_path / "out/manifest.jsonl").read_text().splitlines()
    swapped = [
        line.replace('"left"', '"?"').replace('"right"', '"left"').replace('"?"', '"right"')
        for line in lines
    ]
    (tmp_path / "out/swapped.jsonl").write_text("\n".join(swapped) + "\n")
    found = relightflow("check", "out/swapped.jsonl")
    assert found.returncode == 1
    assert "! direction: 4 results failed" in found.stdout


def test_a_run_can_check_a_recipe_that_says_nothing_about_it(
    relightflow: Relightflow, recipe: Path, tmp_path: Path
) -> None:
    relightflow("run", "spring.yaml", "--check")
    assert "checks" in records(tmp_path / "out/manifest.jsonl")[0]


def test_a_broken_check_of_the_recipe_is_said_before_anything_is_made(
    relightflow: Relightflow, recipe: Path, tmp_path: Path
) -> None:
    recipe.write_text(RECIPE + "checks: [{type: golden, manifest: none.jsonl}]\n")
    done = relightflow("run", "spring.yaml")
    assert done.returncode == 2
    assert "spring.yaml:10:10: checks[0]: the check cannot be made" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_image_that_is_no_image_any_more_is_not_judged(
    relightflow: Relightflow, recipe: Path, tmp_path: Path
) -> None:
    relightflow("run", "spring.yaml")
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    (tmp_path / "photos/a.png").write_bytes(out.getvalue())
    found = relightflow("check", "spring.yaml")
    assert found.stdout == "spring: no results to check yet\n", "another image, another plan"
