import json
from pathlib import Path

from relightflow.plugins.registry import load as plugins
from relightflow.recipe import load
from tests.cli.program import Relightflow


def test_init_writes_a_recipe_that_is_valid(relightflow: Relightflow, tmp_path: Path) -> None:
    done = relightflow("init")
    assert (done.returncode, done.stdout) == (0, "recipe.yaml\n")
    assert load(tmp_path / "recipe.yaml", plugins()).name


def test_init_names_the_file_as_asked(relightflow: Relightflow, tmp_path: Path) -> None:
    relightflow("init", "recipes/spring.yaml")
    assert (tmp_path / "recipes/spring.yaml").is_file()


def test_init_takes_a_folder(relightflow: Relightflow, tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    assert relightflow("init", "recipes").stdout == "recipes/recipe.yaml\n"


def test_init_makes_the_folder_that_is_not_there_yet(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    assert relightflow("init", "spring").stdout == "spring/recipe.yaml\n"
    assert (tmp_path / "spring/recipe.yaml").is_file()


def test_init_never_overwrites(relightflow: Relightflow, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("mine")
    done = relightflow("init")
    assert done.returncode == 2
    assert "was not changed" in done.stderr
    assert (tmp_path / "recipe.yaml").read_text() == "mine"


def test_init_says_where_it_could_not_write(relightflow: Relightflow, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = relightflow("init", "file/recipe.yaml")
    assert done.returncode == 6
    assert done.stderr == "error: file/recipe.yaml cannot be written: Not a directory\n"


def test_init_writes_the_schema_that_the_recipe_names(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    relightflow("init", "recipes/spring.yaml")
    first = (tmp_path / "recipes/spring.yaml").read_text().splitlines()[0]
    named = tmp_path / "recipes" / first.partition("$schema=")[2]
    assert json.loads(named.read_text())["$schema"].startswith("http://json-schema.org/draft-07")
