"""`prune`: lists before it removes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.commands.conftest import Write
from tests.cli.program import Relightflow


@pytest.fixture
def narrowed(relightflow: Relightflow, write: Write) -> Path:
    """A recipe of two cells that ran, and that has one cell now."""
    recipe = write()
    assert relightflow("run", "spring.yaml").returncode == 0
    recipe.write_text(recipe.read_text().replace("[left, right]", "[left]"))
    return recipe


def images(tmp_path: Path) -> int:
    return len([path for path in (tmp_path / "out").rglob("*") if path.suffix in (".png", ".jpg")])


def test_what_is_not_wanted_any_more_is_listed_and_only_removed_when_told(
    relightflow: Relightflow, narrowed: Path, tmp_path: Path
) -> None:
    listed = json.loads(relightflow("prune", narrowed.name, "--json").stdout)
    assert images(tmp_path) == 2
    removed = relightflow("prune", narrowed.name, "--delete", "--json")
    assert removed.returncode == 0, removed.stderr
    assert images(tmp_path) == 1
    document = json.loads(removed.stdout)
    assert (listed["kind"], document["kind"]) == ("prune", "prune")
    assert relightflow("run", narrowed.name).returncode == 0
    assert images(tmp_path) == 1


def test_recipes_of_different_states_are_named_one_at_a_time(
    relightflow: Relightflow, narrowed: Path, tmp_path: Path
) -> None:
    away = tmp_path / "away"
    (away / ".relightflow").mkdir(parents=True)
    (away / "spring.yaml").write_text(narrowed.read_text())
    (away / "shoe.png").write_bytes((tmp_path / "shoe.png").read_bytes())
    done = relightflow("prune", narrowed.name, "away/spring.yaml", "--delete")
    assert done.returncode == 2
    assert "different states" in done.stderr
    assert images(tmp_path) == 2
