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
    file = tmp_path / "config/relightflow/models/segmind--bg-removal.json"
    assert f"segmind  bg-removal  0.01 USD per job (declared for you in {file})" in listed
    found = json.loads(relightflow("models", "list", "--json", env=env).stdout)
    own = [one for one in found["models"] if one["declared"]]
    facts = {"declared": True, "from": "you", "file": str(file)}
    assert own == [{"backend": "segmind", "model": "bg-removal", **facts}]
    assert relightflow("models", "remove", "segmind", "bg-removal", env=env).returncode == 0
    assert "declared" not in relightflow("models", "list", env=env).stdout
    again = relightflow("models", "remove", "segmind", "bg-removal", env=env)
    assert again.returncode == 2


RECIPE = """\
version: 1
name: cut
sources: [{type: glob, include: ["in/*.jpg"]}]
backend: {type: segmind, model: bg-removal}
matrix: {mode: all}
limits: {max_cost: 1.00}
sinks: [{type: directory, path: out/}]
"""


def test_a_model_of_the_project_is_there_for_its_recipes_alone(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    (tmp_path / "bg.yaml").write_text(FILE)
    (tmp_path / "cut.yaml").write_text(RECIPE)
    assert relightflow("validate", "cut.yaml", env=env).returncode == 2
    done = relightflow("models", "add", "bg.yaml", "--project", env=env)
    assert done.returncode == 0, done.stderr
    file = tmp_path / ".relightflow/models/segmind--bg-removal.json"
    assert str(file) in done.stdout
    assert relightflow("validate", "cut.yaml", env=env).returncode == 0
    assert f"(declared for the project in {file})" in relightflow("models", "list", env=env).stdout
    (tmp_path / "other/.git").mkdir(parents=True)
    (tmp_path / "other/cut.yaml").write_text(RECIPE)
    elsewhere = {**env, "RELIGHTFLOW_STATE": str(tmp_path / "nowhere")}
    assert relightflow("validate", "cut.yaml", env=elsewhere).returncode == 2
    named = ("models", "remove", "segmind", "bg-removal")
    assert relightflow(*named, env=env).returncode == 2, "it is not the user's"
    assert relightflow(*named, "--project", env=env).returncode == 0
    assert relightflow("validate", "cut.yaml", env=env).returncode == 2


def test_two_declarations_that_differ_are_both_named(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    (tmp_path / "cut.yaml").write_text(RECIPE)
    (tmp_path / "bg.yaml").write_text(FILE)
    (tmp_path / "dear.yaml").write_text(FILE.replace("0.01", "0.50"))
    assert relightflow("models", "add", "bg.yaml", "--project", env=env).returncode == 0
    refused = relightflow("models", "add", "dear.yaml", env=env)
    assert refused.returncode == 2
    ours = tmp_path / ".relightflow/models/segmind--bg-removal.json"
    assert str(ours) in refused.stderr
    assert relightflow("models", "add", "bg.yaml", env=env).returncode == 0, "it is the same"
    assert relightflow("validate", "cut.yaml", env=env).returncode == 0
    mine = tmp_path / "config/relightflow/models/segmind--bg-removal.json"
    mine.write_text(mine.read_text().replace("0.01", "0.50"))
    done = relightflow("validate", "cut.yaml", env=env)
    assert done.returncode == 2
    assert str(ours) in done.stderr
    assert str(mine) in done.stderr


def test_a_project_from_a_stranger_brings_no_model(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    (tmp_path / "cut.yaml").write_text(RECIPE)
    (tmp_path / "bg.yaml").write_text(FILE)
    assert relightflow("models", "add", "bg.yaml", "--project", env=env).returncode == 0
    file = tmp_path / ".relightflow/models/segmind--bg-removal.json"
    elsewhere = file.rename(tmp_path / "elsewhere.json")
    file.symlink_to(elsewhere)
    for command in (
        ("validate", "cut.yaml"),
        ("models", "list"),
        ("models", "add", "bg.yaml", "--project"),
    ):
        refused = relightflow(*command, env=env)
        assert (refused.returncode, "symbolic link" in refused.stderr) == (9, True), command


def test_a_workflow_is_the_user_s_alone(relightflow: Relightflow, tmp_path: Path) -> None:
    """It can run code on the server."""
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": ""}}}
    workflow = {
        "backend": "comfyui", "model": "night", "image": "1.image", "price": 0,
        "workflow": graph, "output": "1", "inputs": {},
    }  # fmt: skip
    (tmp_path / "night.json").write_text(json.dumps(workflow))
    (tmp_path / "cut.yaml").write_text(RECIPE)
    refused = relightflow("models", "add", "night.json", "--project", env=env)
    assert (refused.returncode, "without --project" in refused.stderr) == (2, True)
    done = relightflow("models", "add", "night.json", env=env)
    assert done.returncode == 0, done.stderr
    planted = tmp_path / ".relightflow/models/comfyui--night.json"
    planted.parent.mkdir(parents=True)
    (tmp_path / "config/relightflow/models/comfyui--night.json").rename(planted)
    refused = relightflow("validate", "cut.yaml", env=env)
    assert (refused.returncode, str(planted) in refused.stderr) == (9, True)


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
