"""The product on one screen, from a recipe on disk to images, with the built-in preview."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from relightflow import api
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.plan import Selection
from relightflow.model.run_options import RunOptions
from relightflow.model.summary import Summary
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import load
from relightflow.store.state_dir import StateDir
from relightflow.testing.samples import sample_image_bytes
from tests.cli.program import environment
from tests.conftest import Stage
from tests.scripted_executor import ScriptedExecutor, installed

PREVIEW = """\
version: 1
name: small
sources: [{type: glob, include: ["*.png"]}]
backend: {type: BACKEND}
matrix: {light_direction: [left, right], light_temperature: [warm, cool]}
sinks: [{type: directory, path: out/}]
limits: {max_cost: 1.00}
"""
MEMORY = """
import asyncio, json, resource, sys
from pathlib import Path
from tests.conftest import Stage
stage = Stage(Path(sys.argv[1]))
stage.recipe(repeat=int(sys.argv[2]), max_jobs=100000, concurrency=32, model="gift")
summary = stage.run_quietly()
assert summary.exit == 0, summary
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(2):
        (tmp_path / f"p{seed}.png").write_bytes(sample_image_bytes(seed))
    return tmp_path


def go(folder: Path, backend: str, instead: str = "") -> Summary:
    (folder / "r.yaml").write_text(PREVIEW.replace("BACKEND", backend))
    registry, state_dir = load(found=lambda: ()), StateDir(folder / ".relightflow")
    recipe = api.load(folder / "r.yaml", registry, backend=instead)
    plan = api.plan(recipe, registry, Selection(), OperatorPolicy(), state_dir)
    assert not state_dir.root.exists() or state_dir.ledger.exists()
    return asyncio.run(
        api.run(plan, registry, state_dir, RunOptions(), OperatorPolicy(), RunCallbacks())
    )


def test_a_recipe_becomes_images_and_again_the_same_bytes(folder: Path) -> None:
    assert go(folder, "preview").exit == 0
    first = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    assert len(first) == 9
    assert go(folder, "preview").counts.reused == 8
    assert {path.name: path.read_bytes() for path in (folder / "out").iterdir()} == first


def test_a_paid_recipe_can_be_previewed_without_key_and_cap(folder: Path) -> None:
    summary = go(folder, "segmind", instead="preview")
    assert (summary.exit, summary.counts.made, summary.money.spent) == (0, 8, 0)


def test_a_full_disk_stops_the_run_and_what_was_accepted_is_collected_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def full(handle: int, data: bytes) -> int:
        if "/blobs/tmp-" in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(28, os.strerror(28))
        return real(handle, data)

    stage.recipe(list(range(8)), concurrency=2)
    stage.provider.mode = "v2"
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        summary = stage.run()
    assert summary.exit == 6
    bought = len(stage.provider.bill)
    assert bought < 8
    assert set(map(str, stage.states())) <= {"ACCEPTED", "RESULT_KNOWN"}
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 8


def test_memory_does_not_grow_with_the_number_of_jobs(tmp_path: Path) -> None:
    peaks = []
    for jobs in (500, 2_500):
        (tmp_path / str(jobs)).mkdir()
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(tmp_path / str(jobs)), str(jobs)],
            env=environment(), capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 8_000  # kB


def test_a_plan_is_the_same_whoever_reads_the_images(stage: Stage) -> None:
    stage.image("b.png")
    executor = ScriptedExecutor()
    options = RunOptions(**installed(stage, executor))
    recipe = api.load(stage.path, stage.registry)
    made = api.plan(recipe, stage.registry, state_dir=stage.state_dir, run_options=options)
    assert (executor.names, executor.closed) == (["examine"] * 2, 1)
    assert made.images == api.plan(recipe, stage.registry, state_dir=stage.state_dir).images
