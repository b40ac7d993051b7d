"""Nothing that somebody made, that another recipe describes, or that was paid for is ever lost by pruning."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from relightflow.errors import Exit
from tests.conftest import Program, Stage

DIRECTORY = {"type": "directory", "path": "out/", "name": "{image.stem}/{shade}.{ext}"}


@pytest.fixture
def pruned(stage: Stage, program: Program) -> Stage:
    """Two images in three shades were delivered; the recipe now describes two of them."""
    stage.image("b.png")
    stage.recipe([0, 1, 2], sinks=[DIRECTORY])
    assert program.run()[0] == 0
    stage.recipe([0, 1], sinks=[DIRECTORY])
    return stage


def files(stage: Stage) -> list[str]:
    return sorted(str(path.relative_to(stage.out)) for path in stage.out.rglob("*.png"))


KEPT = ["a/0.png", "a/1.png", "b/0.png", "b/1.png"]
ALL = sorted([*KEPT, "a/2.png", "b/2.png"])


def test_what_is_not_described_any_more_is_listed_and_then_removed(
    pruned: Stage, program: Program
) -> None:
    code, said = program.call("prune", "recipe.yaml")
    assert code == 0, said
    assert "2 delivered images" in said
    assert "out/a/2.png" in said
    assert "nothing was removed" in said
    assert files(pruned) == ALL
    code, said = program.call("prune", "recipe.yaml", "--delete")
    assert (code, files(pruned)) == (0, KEPT), said
    assert "every delivered image is one" in program.call("prune", "recipe.yaml")[1]


def test_a_removed_image_is_delivered_again_at_no_cost(pruned: Stage, program: Program) -> None:
    program.call("prune", "recipe.yaml", "--delete")
    billed = len(program.billed())
    pruned.recipe([0, 1, 2], sinks=[DIRECTORY])
    assert program.run()[0] == 0
    assert (files(pruned), len(program.billed())) == (ALL, billed)


def test_a_folder_that_nothing_is_left_in_goes_too(pruned: Stage, program: Program) -> None:
    (pruned.folder / "in" / "b.png").unlink()
    (pruned.out / "notes").mkdir()
    program.call("prune", "recipe.yaml", "--delete")
    assert files(pruned) == ["a/0.png", "a/1.png"]
    assert not (pruned.out / "b").exists()
    assert (pruned.out / "notes").is_dir()


def test_files_of_others_and_edited_ones_stay(pruned: Stage, program: Program) -> None:
    (pruned.out / "a" / "mine.png").write_bytes(b"mine")
    (pruned.out / "a" / "2.png").write_bytes(b"edited")
    code, said = program.call("prune", "recipe.yaml", "--delete")
    assert code == 0
    assert "1 file edited since; kept" in said
    assert files(pruned) == sorted([*KEPT, "a/2.png", "a/mine.png"])
    assert (pruned.out / "manifest.jsonl").exists()


def test_a_link_in_the_place_of_a_file_is_not_followed(pruned: Stage, program: Program) -> None:
    elsewhere = pruned.folder / "elsewhere.png"
    shutil.move(pruned.out / "a" / "2.png", elsewhere)
    (pruned.out / "a" / "2.png").symlink_to(elsewhere)
    program.call("prune", "recipe.yaml", "--delete")
    assert elsewhere.exists()


def test_the_only_copy_of_a_result_stays(pruned: Stage, program: Program) -> None:
    import hashlib

    copy = pruned.out / "a" / "2.png"
    sha256 = hashlib.sha256(copy.read_bytes()).hexdigest()
    (pruned.state_dir.blobs / sha256[:2] / sha256).unlink()
    said = program.call("prune", "recipe.yaml", "--delete")[1]
    assert "1 file without a result in the store; kept" in said
    assert copy.exists()


def test_what_another_recipe_delivered_stays(pruned: Stage, program: Program) -> None:
    """From the same state, to a folder inside that of the first."""
    other = pruned.folder / "other.yaml"
    pruned.recipe([2], sinks=[{**DIRECTORY, "path": "out/other/"}])
    other.write_text(pruned.path.read_text().replace("name: demo", "name: other"))
    assert program.call("run", "other.yaml", "--max-cost", "9", "--yes")[0] == 0
    pruned.recipe([0], sinks=[DIRECTORY])
    program.call("prune", "recipe.yaml", "--delete")
    assert files(pruned) == ["a/0.png", "b/0.png", "other/a/2.png", "other/b/2.png"]


def test_nothing_is_removed_where_the_images_are_gone(pruned: Stage, program: Program) -> None:
    """A folder that is not mounted is no reason to remove everything."""
    shutil.rmtree(pruned.folder / "in")
    code, said = program.call("prune", "recipe.yaml", "--delete")
    assert (code, files(pruned)) == (Exit.REFUSED, ALL), said


def test_nothing_is_removed_where_an_image_cannot_be_used(pruned: Stage, program: Program) -> None:
    (pruned.folder / "in" / "b.png").write_bytes(b"cut short")
    code, said = program.call("prune", "recipe.yaml", "--delete")
    assert (code, files(pruned)) == (Exit.REFUSED, ALL), said
    assert "b.png" in said


def test_a_name_in_another_case_is_the_same_file(pruned: Stage, program: Program) -> None:
    """As on file systems that ignore case, where removing the old name removes the new file."""
    sink = {**DIRECTORY, "name": "{image.stem}/X-{shade}.{ext}"}
    pruned.recipe([0, 1], sinks=[sink])
    assert program.run()[0] == 0
    pruned.recipe([0, 1], sinks=[{**sink, "name": "{image.stem}/x-{shade}.{ext}"}])
    program.call("prune", "recipe.yaml", "--delete")
    assert {"a/X-0.png", "a/X-1.png"} <= {*files(pruned)}


def test_json_lists_places(pruned: Stage, program: Program) -> None:
    import json

    said = program.call("prune", "recipe.yaml", "--json")[1]
    document = json.loads(said)
    assert sorted(Path(one["path"]).name for one in document["removable"]) == ["2.png", "2.png"]
    assert document["deleted"] is False
