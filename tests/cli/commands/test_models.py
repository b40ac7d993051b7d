"""Declaring a model on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.program import Relightflow

FILE = """\
backend: segmind
model: bg-removal
image: image
price: 0.01
parameters:
  - {name: mode, type: choice, values: [fast, fine], default: fast}
"""


def test_a_model_is_declared_listed_planned_with_and_removed(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    (tmp_path / "bg.yaml").write_text(FILE)
    done = relightflow("models", "add", "bg.yaml", env=env)
    assert done.returncode == 0, done.stderr
    assert "segmind: bg-removal declared in" in done.stdout
    listed = relightflow("models", "list", env=env).stdout
    assert "segmind  bg-removal  0.01 USD per job (declared)" in listed
    found = json.loads(relightflow("models", "list", "--json", env=env).stdout)
    own = [one for one in found["models"] if one["declared"]]
    assert own == [{"backend": "segmind", "model": "bg-removal", "declared": True}]
    assert relightflow("models", "remove", "segmind", "bg-removal", env=env).returncode == 0
    assert "declared" not in relightflow("models", "list", env=env).stdout
    again = relightflow("models", "remove", "segmind", "bg-removal", env=env)
    assert again.returncode == 2


def test_every_mistake_of_a_file_is_told(relightflow: Relightflow, tmp_path: Path) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    (tmp_path / "bad.yaml").write_text("backend: segmind\nmodel: A\nprice: much\nurl: x\n")
    done = relightflow("models", "add", "bad.yaml", env=env)
    assert done.returncode == 2
    for field in ("model:", "price:", "image:", "url: unknown field"):
        assert field in done.stderr
    (tmp_path / "own.yaml").write_text(FILE.replace("bg-removal", "ic-light"))
    assert "itself" in relightflow("models", "add", "own.yaml", env=env).stderr
    (tmp_path / "other.yaml").write_text(FILE.replace("segmind", "preview"))
    assert "takes no declared models" in relightflow("models", "add", "other.yaml", env=env).stderr
    (tmp_path / "broken.yaml").write_text("backend: [")
    assert relightflow("models", "add", "broken.yaml", env=env).returncode == 2
