"""Two recipes never overwrite each other's files: neither in one command nor one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands.conftest import Write, write
from tests.cli.program import Relightflow

__all__ = ["write"]

SINK = "sinks: [{type: directory, path: out/}]"


def other(folder: Path, name: str, sinks: str, file: str = "") -> str:
    text = (folder / "spring.yaml").read_text().replace("name: spring", f"name: {name}")
    assert SINK in text
    file = file or f"{name}.yaml"
    (folder / file).write_text(text.replace(SINK, f"sinks: [{sinks}]"))
    return file


@pytest.mark.parametrize(
    ("sinks", "file"),
    [
        ("{type: directory, path: out/}", "out/manifest.jsonl"),
        ("{type: directory, path: ./x/../OUT}", "OUT/manifest.jsonl"),
        ('{type: directory, path: out/, name: "autumn/{key}.{ext}"}', "out/manifest.jsonl"),
        ("{type: imagefolder, path: out/}", "out/manifest.jsonl"),
        ("{type: csv, path: own/}, {type: directory, path: out/}", "out/manifest.jsonl"),
    ],
)
def test_two_recipes_of_one_command_that_write_the_same_file_are_refused(
    relightflow: Relightflow, write: Write, tmp_path: Path, sinks: str, file: str
) -> None:
    write()
    second = other(tmp_path, "autumn", sinks)
    for command in ("plan", "run"):
        done = relightflow(command, "spring.yaml", second)
        assert done.returncode == 2, done.stderr
        assert f"writes {tmp_path}/{file}; spring.yaml (sinks[0]) writes it too" in done.stderr
        assert f"{second}:" in done.stderr
        assert "Use a folder of its own for the sink, such as autumn/ in it" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            '{type: directory, path: out/, name: "a/{light_direction}.{ext}"}',
            '{type: directory, path: out/a/, name: "{light_direction}.{ext}"}',
        ),
        ("{type: contact-sheet, path: sheets}", "{type: contact-sheet, path: sheets/}"),
        ("{type: csv, path: out}", "{type: csv, path: out}"),
        ("{type: gallery, path: out}", "{type: gallery, path: out}"),
    ],
)
def test_the_same_holds_for_files_below_each_other_and_for_what_is_gathered(
    relightflow: Relightflow, write: Write, tmp_path: Path, first: str, second: str
) -> None:
    write()
    one, two = other(tmp_path, "one", first), other(tmp_path, "two", second)
    assert relightflow("run", one, two).returncode == 2
    assert relightflow("run", one).returncode == 0


def test_one_recipe_must_not_write_a_file_twice_either(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    sinks = "{type: directory, path: out/}, {type: webdataset, path: out/}"
    done = relightflow("run", other(tmp_path, "both", sinks))
    assert done.returncode == 2
    assert "sinks[1].path: writes" in done.stderr
    assert "sinks[0] writes it too" in done.stderr


@pytest.mark.parametrize(
    "sinks",
    [
        "{type: directory, path: out/autumn/}",
        "{type: zip, path: out/}",
        "{type: csv, path: out/}",
        "{type: directory, path: outer/}",
    ],
)
def test_recipes_with_places_of_their_own_run_together(
    relightflow: Relightflow, write: Write, tmp_path: Path, sinks: str
) -> None:
    write()
    done = relightflow("run", "spring.yaml", other(tmp_path, "autumn", sinks))
    assert done.returncode == 0, done.stderr


def test_what_another_recipe_has_delivered_is_not_overwritten_by_a_later_run(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    second = other(tmp_path, "autumn", "{type: directory, path: out/}")
    same_name = other(tmp_path, "spring", "{type: directory, path: out/}", "copy.yaml")
    assert relightflow("run", "spring.yaml").returncode == 0
    before = (tmp_path / "out/manifest.jsonl").read_bytes()
    for file in (second, same_name):
        for command in ("plan", "run"):
            done = relightflow(command, file)
            assert done.returncode == 2
            assert f"{tmp_path}/spring.yaml has delivered it and writes it" in done.stderr
    assert (tmp_path / "out/manifest.jsonl").read_bytes() == before
    assert relightflow("run", "spring.yaml").returncode == 0


def test_a_recipe_that_was_moved_renamed_or_sent_elsewhere_leaves_its_place_free(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    recipe = write()
    assert relightflow("run", "spring.yaml").returncode == 0
    recipe.write_text(recipe.read_text().replace("name: spring", "name: summer"))
    assert relightflow("run", "spring.yaml").returncode == 0
    recipe.rename(tmp_path / "moved.yaml")
    assert relightflow("run", "moved.yaml").returncode == 0
    moved = tmp_path / "moved.yaml"
    moved_text = moved.read_text()
    moved.write_text(moved_text.replace("path: out/", "path: elsewhere/"))
    (tmp_path / "autumn.yaml").write_text(moved_text.replace("name: summer", "name: autumn"))
    assert relightflow("run", "autumn.yaml").returncode == 0


def test_drafts_of_two_recipes_are_kept_apart_as_well(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write(backend="segmind")
    second = other(tmp_path, "autumn", "{type: directory, path: out/}")
    assert relightflow("run", "spring.yaml", "--backend", "preview").returncode == 0
    done = relightflow("run", second, "--backend", "preview")
    assert done.returncode == 2
    assert f"{tmp_path}/out/preview/manifest.jsonl" in done.stderr
