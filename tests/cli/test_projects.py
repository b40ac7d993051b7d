"""A repository as people lay it out: recipes, photos and results in folders beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.cli.program import Relightflow

RECIPE = """\
version: 1
name: shop
sources: [{type: glob, include: ["../photos/*.jpg"]}]
matrix: {light_direction: [left, right]}
sinks: [{type: directory, path: ../out/, name: "{image.stem}-{light_direction}.{ext}"}]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for folder in ("shop/.git", "shop/recipes", "shop/photos"):
        (tmp_path / folder).mkdir(parents=True)
    Image.new("RGB", (48, 32), (90, 120, 150)).save(tmp_path / "shop/photos/shoe.jpg")
    (tmp_path / "shop/recipes/shop.yaml").write_text(RECIPE)
    return tmp_path / "shop"


@pytest.mark.parametrize("where", [".", "recipes", "photos"])
def test_photos_beside_the_recipes_are_relit_from_any_folder(
    relightflow: Relightflow, shop: Path, where: str
) -> None:
    recipe = {".": "recipes/shop.yaml", "recipes": "shop.yaml", "photos": "../recipes/shop.yaml"}
    done = relightflow("run", recipe[where], cwd=shop / where)
    assert done.returncode == 0, done.stderr
    made = sorted(path.name for path in (shop / "out").iterdir())
    assert made == ["manifest.jsonl", "shoe-left.jpg", "shoe-right.jpg"]
    assert '"name":"photos/shoe.jpg"' in (shop / "out/manifest.jsonl").read_text()
    again = relightflow("run", recipe[where], cwd=shop / where)
    assert "2 of 2 jobs in place" in again.stdout + again.stderr
    assert relightflow("verify", recipe[where], cwd=shop / where).returncode == 0


def test_a_recipe_that_came_in_a_repository_gets_no_further(
    relightflow: Relightflow, shop: Path
) -> None:
    stranger = shop / "vendor/lights"
    (stranger / ".git").mkdir(parents=True)
    for path in ("../../photos/*.jpg", str(shop / "photos/*.jpg")):
        (stranger / "r.yaml").write_text(
            RECIPE.replace("../photos/*.jpg", path).replace("../out", "out")
        )
        done = relightflow("run", "vendor/lights/r.yaml", cwd=shop)
        assert done.returncode == 2
        assert "vendor/lights/r.yaml:3:34: sources[0].include[0]:" in done.stderr
        assert f"the repository {stranger}" in done.stderr
    (stranger / "photos").symlink_to(shop / "photos")
    (stranger / "r.yaml").write_text(RECIPE.replace("../", ""))
    done = relightflow("run", "vendor/lights/r.yaml", cwd=shop)
    assert done.returncode == 9
    assert "leaves the recipe's project" in done.stdout


def test_without_a_project_it_is_said_how_to_make_one_and_that_works(
    relightflow: Relightflow, shop: Path
) -> None:
    (shop / ".git").rmdir()
    done = relightflow("plan", "recipes/shop.yaml", cwd=shop)
    assert done.returncode == 2
    assert f"mkdir {shop}/.relightflow" in done.stderr
    (shop / ".relightflow").mkdir()
    assert relightflow("run", "recipes/shop.yaml", cwd=shop).returncode == 0
    assert (shop / ".relightflow/ledger.sqlite3").is_file()
