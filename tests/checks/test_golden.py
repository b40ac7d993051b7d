"""Results against accepted ones, kept with their manifest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relightflow.checks.golden import RECORDS
from relightflow.errors import RelightflowError
from relightflow.model.values import FrozenMap
from relightflow.plugins.check import CheckView, Measured
from relightflow.plugins.records import CheckContext
from tests.checks.drawn import Array, as_bytes, lit, looked_at, output, scene

IMAGE = lit(scene(), across=-0.4)


def accept(folder: Path, *results: Array) -> None:
    """A delivered folder: one cell with a repeat for each result."""
    folder.mkdir(exist_ok=True)
    lines: list[dict[str, Any]] = [
        {"record": "recipe", "format": 1, "recipe": {"name": "r", "sha256": "0" * 64},
         "backend": "b", "model": "m", "counts": {}}
    ]  # fmt: skip
    for repeat, image in enumerate(results):
        data = as_bytes(image)
        (folder / f"{repeat}.png").write_bytes(data)
        lines.append(
            {"record": "output", "index": repeat, "job": "1" * 16, "key": "1" * 64,
             "source": {"name": "photos/drawn.png", "sha256": "a" * 64, "size": 1},
             "cell": {"light_direction": "left"}, "parameters": {}, "repeat": repeat,
             "status": "done", "path": f"{repeat}.png", "cost": 0.0,
             "sha256": hashlib.sha256(data).hexdigest(), "size": len(data),
             "width": 320, "height": 240, "media_type": "image/png"}
        )  # fmt: skip
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def verdict(folder: Path, image: Array, cell: str = "left", **options: Any) -> str:
    context = CheckContext(folder, FrozenMap({"manifest": "accepted/manifest.jsonl", **options}))
    check = RECORDS[0].make(context)
    view = CheckView(output(0, {"light_direction": cell}), looked_at(image), None)
    found = check.judge([Measured(view.output, "", check.measure(view))])[0]
    assert found
    return str(found.verdict)


def test_the_nearest_accepted_repeat_of_the_cell_counts(tmp_path: Path) -> None:
    accept(tmp_path / "accepted", lit(scene(3)), IMAGE)
    noise = np.random.default_rng(1).normal(0, 0.01, IMAGE.shape)
    assert verdict(tmp_path, np.clip(IMAGE + noise, 0, 1)) == "pass"
    assert verdict(tmp_path, lit(scene(), across=0.6)) == "fail"
    assert verdict(tmp_path, lit(scene(), across=0.6), tolerance=100) == "pass"


def test_what_was_never_accepted_is_unsure(tmp_path: Path) -> None:
    accept(tmp_path / "accepted", IMAGE)
    assert verdict(tmp_path, IMAGE, "right") == "unsure"
    (tmp_path / "accepted/0.png").write_bytes(b"edited")
    assert verdict(tmp_path, IMAGE) == "unsure"


def test_another_acceptance_is_another_basis(tmp_path: Path) -> None:
    context = CheckContext(tmp_path, FrozenMap({"manifest": "accepted/manifest.jsonl"}))
    accept(tmp_path / "accepted", IMAGE)
    one: Any = RECORDS[0].make(context)
    accept(tmp_path / "accepted", IMAGE, IMAGE)
    two: Any = RECORDS[0].make(context)
    assert one.basis != two.basis


def test_a_manifest_that_is_missing_or_behind_a_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RelightflowError, match="accepted results cannot be read"):
        verdict(tmp_path, IMAGE)
    accept(tmp_path / "elsewhere", IMAGE)
    (tmp_path / "accepted").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RelightflowError, match="accepted results cannot be read"):
        verdict(tmp_path, IMAGE)
