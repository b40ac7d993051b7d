"""Issue 9, section 5: the state follows the project."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.world.harness import World


@pytest.fixture
def clone(world: World) -> Path:
    """A clone of a repository that holds the recipe, the images, the results and the manifest."""
    world.git("init")
    world.recipe()
    assert world.run().code == 0
    world.git("add", ".")
    world.git("commit", "-m", "bought")
    target = world.folder.parent / "clone"
    world.git("clone", "-q", str(world.folder), str(target))
    assert not (target / ".relightflow").exists()
    return target


def test_a_recipe_that_moved_a_folder_up_buys_nothing(world: World) -> None:
    inner = world.folder / "inner"
    world.recipe()
    inner.mkdir()
    for name in ("in", "recipe.yaml"):
        shutil.move(world.folder / name, inner / name)
    assert world.run(cwd=inner).code == 0
    for name in ("in", "out", "recipe.yaml"):
        shutil.move(inner / name, world.folder / name)
    said = world.run()
    assert said.code in (0, 9), world.story()
    world.assert_complete(4)


def test_a_folder_that_moved_with_its_state_buys_nothing(world: World) -> None:
    world.recipe()
    world.run()
    moved = world.folder.parent / "moved"
    shutil.move(world.folder, moved)
    assert world.run(cwd=moved).code == 0, world.story()
    world.assert_complete(4, moved / "out")


@pytest.mark.parametrize("first", ["main", "worktree"])
def test_worktrees_share_a_state(world: World, first: str) -> None:
    world.recipe()
    world.git("init")
    world.git("add", "recipe.yaml", "in")
    world.git("commit", "-m", "recipe")
    tree = world.folder.parent / "tree"
    world.git("worktree", "add", "-q", str(tree))
    places = [world.folder, tree] if first == "main" else [tree, world.folder]
    for place in places:
        assert world.run(cwd=place).code == 0, world.story()
        world.assert_complete(4, place / "out")
    assert not (tree / ".relightflow").exists()


def test_a_clone_with_a_manifest_is_not_bought_again(world: World, clone: Path) -> None:
    said = world.run(cwd=clone)
    assert said.code == 9, world.story()
    assert "relightflow adopt" in said.text, world.story()
    assert "--buy-again" in said.text, world.story()
    world.assert_complete(4)


def test_a_clone_that_lost_its_images_is_not_bought_again(world: World, clone: Path) -> None:
    for path in (clone / "out").glob("*.png"):
        path.unlink()
    assert world.run(cwd=clone).code == 9, world.story()
    world.assert_complete(4)


def test_adopt_makes_a_clone_complete(world: World, clone: Path) -> None:
    assert world.command("adopt", "recipe.yaml", cwd=clone).code == 0, world.story()
    assert world.run(cwd=clone).code == 0, world.story()
    world.assert_complete(4, clone / "out")


def test_adopt_takes_no_file_whose_hash_differs(world: World, clone: Path) -> None:
    victim = min((clone / "out").glob("*.png"))
    victim.write_bytes(victim.read_bytes() + b"edited")
    world.command("adopt", "recipe.yaml", cwd=clone)
    assert world.run(cwd=clone).code != 0, world.story()
    assert len(world.provider.bill) == 4, world.story()


def test_adopted_results_count_against_the_cap(world: World, clone: Path) -> None:
    assert world.command("adopt", "recipe.yaml", cwd=clone).code == 0, world.story()
    shutil.copy(world.folder / "in/image-0.png", clone / "in/image-9.png")
    with (clone / "in/image-9.png").open("ab") as image:
        image.write(b"\0")
    said = world.run("--max-cost", "0.25", cwd=clone)
    assert said.code == 7, world.story()
    assert len(world.provider.bill) == 5, world.story()


def test_buy_again_buys_again(world: World, clone: Path) -> None:
    world.run("--buy-again", cwd=clone)
    assert len(world.provider.bill) == 8, world.story()
    assert len(world.provider.billed_twice()) == 4
