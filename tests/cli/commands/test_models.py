"""Declaring a model on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from relightflow.testing.samples import sample_image_bytes
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


def test_a_chain_of_recipes_is_priced_as_a_whole_before_anything_is_made(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    (tmp_path / "bg.yaml").write_text(FILE)
    assert relightflow("models", "add", "bg.yaml", env=env).returncode == 0
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(sample_image_bytes())
    for name, source, model in (
        ("cut", '{type: glob, include: ["in/*.jpg"]}', "bg-removal"),
        ("lit", "{type: manifest, path: out/cut/manifest.jsonl}", "segmind-relighting"),
        ("again", "{type: manifest, path: out/lit/manifest.jsonl}", "bg-removal"),
    ):
        matrix = "{light_direction: [left, right]}" if name == "lit" else "{mode: fine}"
        (tmp_path / f"{name}.yaml").write_text(
            f"version: 1\nname: {name}\nsources: [{source}]\n"
            f"backend: {{type: segmind, model: {model}}}\nmatrix: {matrix}\n"
            f"sinks: [{{type: directory, path: out/{name}/}}]\n"
        )
    recipes = ("cut.yaml", "lit.yaml", "again.yaml")
    done = relightflow("plan", *recipes, env=env)
    assert done.returncode == 0, done.stderr
    assert "together: 5 jobs to make, 0.13 USD" in done.stdout
    assert "'cut' makes its images first" in done.stderr
    written = relightflow("plan", *recipes, "-o", "all.plan", env=env)
    assert written.returncode == 2, "a plan of bytes that do not exist cannot be approved"
    assert not (tmp_path / "all.plan").exists()
    assert relightflow("plan", "lit.yaml", env=env).returncode == 2
