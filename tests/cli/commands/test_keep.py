"""A retouched picture is accepted by a person's word, and runs are green again."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.commands.conftest import Write
from tests.cli.program import Relightflow


@pytest.fixture
def edited(write: Write, relightflow: Relightflow, tmp_path: Path) -> Path:
    """A recipe has run, and one of its two images was retouched since."""
    write()
    assert relightflow("run", "spring.yaml").returncode == 0
    path = min((tmp_path / "out").glob("*.png"))
    retouch(path, 1)
    assert relightflow("run", "spring.yaml").returncode == 1
    return path


def retouch(path: Path, red: int) -> None:
    with Image.open(path) as image:
        image.load()
    image.putpixel((2, 2), (red, 0, 0))
    image.save(path)


def delivered(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "out/manifest.jsonl").read_text().splitlines()[1:]
    return [record["delivered"] for line in lines if "delivered" in (record := json.loads(line))]


def test_runs_are_green_again_and_the_manifest_tells_of_it(
    edited: Path, relightflow: Relightflow, tmp_path: Path
) -> None:
    before = edited.read_bytes()
    done = relightflow("keep", "spring.yaml", str(edited.relative_to(tmp_path)))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"1 file accepted:\n    out/{edited.name}\n"
    for options in ((), (), ("--overwrite",)):
        assert relightflow("run", "spring.yaml", *options).returncode == 0
        assert edited.read_bytes() == before
        (told,) = delivered(tmp_path)
        assert (told["kept"], told["size"]) == (True, len(before))
    assert relightflow("verify", "spring.yaml").returncode == 0


def test_without_a_file_the_edited_ones_are_listed(edited: Path, relightflow: Relightflow) -> None:
    done = relightflow("keep", "spring.yaml")
    assert done.returncode == 1
    assert f"1 file edited:\n    out/{edited.name}\n" in done.stdout
    told = json.loads(relightflow("keep", "spring.yaml", "--json").stdout)
    assert (told["kind"], told["kept"], told["edited"]) == ("keeping", [], [str(edited)])


def test_a_further_change_is_told_again(edited: Path, relightflow: Relightflow) -> None:
    assert relightflow("keep", "spring.yaml", "out").returncode == 0
    retouch(edited, 200)
    assert relightflow("run", "spring.yaml").returncode == 1
    assert relightflow("keep", "spring.yaml", "out").returncode == 0
    assert relightflow("run", "spring.yaml").returncode == 0


def test_what_was_accepted_can_be_taken_back(edited: Path, relightflow: Relightflow) -> None:
    keep = ("keep", "spring.yaml", f"out/{edited.name}")
    assert relightflow(*keep).returncode == 0
    assert relightflow(*keep, "--undo").stdout.startswith("1 file no longer accepted")
    assert relightflow("run", "spring.yaml").returncode == 1
    assert relightflow("run", "spring.yaml", "--overwrite").returncode == 0
    assert relightflow("keep", "spring.yaml").stdout == "no delivered file was edited\n"


def test_an_accepted_file_that_is_deleted_is_delivered_as_it_was_made(
    edited: Path, relightflow: Relightflow, tmp_path: Path
) -> None:
    assert relightflow("keep", "spring.yaml", "out").returncode == 0
    edited.unlink()
    assert relightflow("run", "spring.yaml").returncode == 0
    assert edited.is_file()
    assert delivered(tmp_path) == []


def test_another_image_in_its_place_is_a_new_question(
    edited: Path, write: Write, relightflow: Relightflow, tmp_path: Path
) -> None:
    """The recipe's name puts another result where the retouched one is."""
    recipe = tmp_path / "spring.yaml"
    named = recipe.read_text().replace("path: out/", 'path: out/, name: "one.{ext}"')
    recipe.write_text(named.replace("[left, right]", "[left]"))
    assert relightflow("run", "spring.yaml").returncode == 0
    retouch(tmp_path / "out/one.png", 7)
    assert relightflow("keep", "spring.yaml", "out/one.png").returncode == 0
    recipe.write_text(recipe.read_text().replace("[left]", "[top]"))
    done = relightflow("run", "spring.yaml")
    assert done.returncode == 1
    assert "one.png" in done.stdout


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("out/other.png", "is not edited, or not a file of this recipe"),
        ("/etc/passwd", "is not edited, or not a file of this recipe"),
    ],
)
def test_a_file_that_is_not_edited_is_named(
    file: str, words: str, edited: Path, relightflow: Relightflow
) -> None:
    done = relightflow("keep", "spring.yaml", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_what_is_no_image_is_not_accepted(edited: Path, relightflow: Relightflow) -> None:
    edited.write_text("not an image")
    done = relightflow("keep", "spring.yaml", f"out/{edited.name}")
    assert done.returncode == 2
    assert "not a supported image" in done.stderr


def test_where_nothing_was_delivered_there_is_nothing_to_keep(
    write: Write, relightflow: Relightflow, tmp_path: Path
) -> None:
    write()
    done = relightflow("keep", "spring.yaml", "out")
    assert done.returncode == 2
    assert "no run has delivered anything" in done.stderr
    assert not (tmp_path / ".relightflow").exists()


def test_better_captions_of_a_data_set_are_accepted_too(
    write: Write, relightflow: Relightflow, tmp_path: Path
) -> None:
    recipe = write()
    recipe.write_text(recipe.read_text().replace("directory", "imagefolder"))
    assert relightflow("run", "spring.yaml").returncode == 0
    captions = tmp_path / "out/metadata.jsonl"
    better = captions.read_text().replace("light direction: left", "from the left")
    captions.write_text(better)
    assert relightflow("run", "spring.yaml").returncode == 1
    assert relightflow("keep", "spring.yaml", "out/metadata.jsonl").returncode == 0
    assert relightflow("run", "spring.yaml").returncode == 0
    recipe.write_text(recipe.read_text().replace("right]", "right, top]"))
    assert relightflow("run", "spring.yaml").returncode == 0
    assert captions.read_text() == better
    assert (tmp_path / "out/manifest.jsonl").read_text().count('"status":"done"') == 3


def test_an_accepted_sheet_stays_as_it_is(
    write: Write, relightflow: Relightflow, tmp_path: Path
) -> None:
    recipe = write()
    recipe.write_text(recipe.read_text().replace("directory", "contact-sheet"))
    assert relightflow("run", "spring.yaml").returncode == 0
    sheet = tmp_path / "out/shoe.jpg"
    with Image.open(sheet) as image:
        image.load()
    image.save(sheet)
    mine = sheet.read_bytes()
    assert relightflow("run", "spring.yaml").returncode == 1
    assert relightflow("keep", "spring.yaml", "out").returncode == 0
    recipe.write_text(recipe.read_text().replace("right]", "right, top]"))
    assert relightflow("run", "spring.yaml", "--overwrite").returncode == 0
    assert sheet.read_bytes() == mine
