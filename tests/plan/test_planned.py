from pathlib import Path

import pytest

from relightflow.plan.planned import find_recipe, path_in_project


def _recipe(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "spring.yaml"
    path.write_text("version: 1\n")
    return path


def test_the_path_counts_from_the_root_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert path_in_project(_recipe(tmp_path / "a" / "b")) == "a/b/spring.yaml"


def test_without_a_repository_it_counts_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = _recipe(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    assert path_in_project(recipe) == "a/spring.yaml"
    monkeypatch.chdir(tmp_path / "a")
    assert path_in_project(Path("spring.yaml")) == "spring.yaml"


def test_a_path_never_names_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = _recipe(tmp_path / "a")
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "b")
    assert path_in_project(recipe) == "spring.yaml"


def test_a_recipe_is_found_from_below_and_beside_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project" / ".git").mkdir(parents=True)
    recipe = _recipe(tmp_path / "project" / "a")
    deep = tmp_path / "project" / "a" / "deep"
    deep.mkdir()
    plan = tmp_path / "plan.json"
    monkeypatch.chdir(deep)
    assert find_recipe("a/spring.yaml", plan) == recipe
    monkeypatch.chdir(tmp_path)
    assert find_recipe("a/spring.yaml", plan) is None
    assert find_recipe("a/spring.yaml", tmp_path / "project" / "plan.json") == recipe.relative_to(
        tmp_path
    )


def test_a_link_out_of_the_project_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / "spring.yaml").symlink_to(_recipe(tmp_path / "elsewhere"))
    monkeypatch.chdir(project)
    assert find_recipe("spring.yaml", project / "plan.json") is None
