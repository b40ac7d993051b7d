"""What is checked, and from where it is read."""

from __future__ import annotations

from pathlib import Path

from relightflow import api
from relightflow.maintenance.check import check_manifest, check_results
from relightflow.model.recipe import Recipe
from relightflow.plugins.registry import load
from relightflow.store.state_dir import StateDir, locate
from tests.checks.drawn import as_bytes, scene

REGISTRY = load(found=lambda: ())
RECIPE = """version: 1
name: spring
sources: [{type: glob, include: ["photos/*.png"]}]
matrix: {light_direction: [left, right]}
checks: [direction, changed]
sinks: [{type: directory, path: out/}]
"""


def project(folder: Path) -> tuple[Recipe, StateDir]:
    (folder / "photos").mkdir()
    (folder / "photos/a.png").write_bytes(as_bytes(scene()))
    (folder / ".relightflow").mkdir()
    path = folder / "spring.yaml"
    path.write_text(RECIPE)
    return api.load(path, REGISTRY), locate(path, None, {})


async def test_outputs_without_a_result_are_listed_unchecked(tmp_path: Path) -> None:
    recipe, state_dir = project(tmp_path)
    found = check_results(api.plan(recipe, REGISTRY, state_dir=state_dir), REGISTRY, state_dir)
    assert [(item.made, item.checks) for item in found.outputs] == [(False, ())] * 2
    await api.run(api.plan(recipe, REGISTRY, state_dir=state_dir), REGISTRY, state_dir)
    found = check_results(api.plan(recipe, REGISTRY, state_dir=state_dir), REGISTRY, state_dir)
    assert [[check.verdict for check in item.checks] for item in found.outputs] == [
        ["pass"] * 2
    ] * 2


async def test_a_lost_result_is_an_error_and_the_others_are_judged(tmp_path: Path) -> None:
    recipe, state_dir = project(tmp_path)
    await api.run(api.plan(recipe, REGISTRY, state_dir=state_dir), REGISTRY, state_dir)
    check_results(api.plan(recipe, REGISTRY, state_dir=state_dir), REGISTRY, state_dir)
    blobs = sorted(path for path in state_dir.blobs.glob("??/*") if len(path.name) == 64)
    blobs[0].unlink()
    for kept in state_dir.cache.glob("checks/*/*"):
        kept.unlink()
    found = check_results(api.plan(recipe, REGISTRY, state_dir=state_dir), REGISTRY, state_dir)
    verdicts = [[str(check.verdict) for check in item.checks] for item in found.outputs]
    assert sorted(verdict == ["error", "error"] for verdict in verdicts) == [False, True]
    assert "error" not in min(verdicts, key=lambda one: one.count("error"))


async def test_of_a_manifest_input_images_are_believed_by_their_hash_only(tmp_path: Path) -> None:
    recipe, state_dir = project(tmp_path)
    await api.run(api.plan(recipe, REGISTRY, state_dir=state_dir), REGISTRY, state_dir)

    def changed() -> set[str]:
        found = check_manifest(tmp_path / "out/manifest.jsonl", REGISTRY, state_dir)
        checks = [check for item in found.outputs for check in item.checks]
        return {str(check.verdict) for check in checks if check.name == "changed"}

    assert changed() == {"pass"}
    (tmp_path / "photos/a.png").write_bytes(as_bytes(scene(4)))
    assert changed() == {"unsure"}
