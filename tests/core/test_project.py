from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.core.project import Project, climb


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `home/shop/recipes`; home is somebody's home."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "home/shop/recipes"
    folder.mkdir(parents=True)
    return folder


def why_not(folder: Path, text: str) -> str:
    with pytest.raises(ValueError, match=r"\w") as caught:
        Project.of(folder).place(text)
    return str(caught.value)


@pytest.mark.parametrize("mark", [".git", ".relightflow"])
def test_the_project_is_where_git_or_the_state_is(recipes: Path, mark: str) -> None:
    (recipes.parent / mark).mkdir()
    found = Project.of(recipes)
    assert (found.root, found.mark) == (recipes.parent, mark)
    assert found.place("../photos/a.jpg") == recipes.parent / "photos/a.jpg"
    assert found.parts("../photos/*.jpg") == ("photos", "*.jpg")


def test_a_worktree_is_a_repository_too(recipes: Path) -> None:
    (recipes.parent / ".git").write_text("gitdir: ../other/.git/worktrees/x")
    assert Project.of(recipes).root == recipes.parent


def test_the_nearest_state_folder_decides(recipes: Path) -> None:
    (recipes.parent / ".git").mkdir()
    (recipes / ".relightflow").mkdir()
    assert Project.of(recipes).root == recipes
    assert "the project" in why_not(recipes, "../photos")


def test_a_state_above_the_repository_gives_a_strangers_recipe_no_more(recipes: Path) -> None:
    stranger = recipes / "stranger"
    (stranger / ".git").mkdir(parents=True)
    (recipes.parent / ".relightflow").mkdir()
    assert Project.of(stranger).root == stranger
    assert "leads out of the repository" in why_not(stranger, "../../photos/a.jpg")


@pytest.mark.parametrize("mark", [".git", ".relightflow"])
def test_home_is_never_a_project_for_what_lies_deeper(recipes: Path, mark: str) -> None:
    (recipes.parents[1] / mark).mkdir()
    (recipes.parents[2] / mark).mkdir()
    assert Project.of(recipes).root == recipes
    assert Project.of(recipes.parents[1]).root == recipes.parents[1]


def test_a_folder_that_everybody_writes_to_is_no_project(recipes: Path) -> None:
    (recipes.parent / ".git").mkdir()
    recipes.parent.chmod(0o1777)
    assert Project.of(recipes).root == recipes


def test_without_a_project_it_is_said_how_to_make_one(recipes: Path) -> None:
    found = why_not(recipes, "../photos")
    assert f"leads out of the recipe's folder {recipes}" in found
    assert f"mkdir {recipes.parent}/.relightflow" in found
    (recipes.parent / ".relightflow").mkdir()
    assert Project.of(recipes).place("../photos") == recipes.parent / "photos"


def test_where_no_project_can_be_made_it_is_said_where_the_recipe_belongs(recipes: Path) -> None:
    assert "put the recipe in a folder that holds the files too" in why_not(recipes, "../../../x")


@pytest.mark.parametrize("path", ["/etc", "~", "~/x", "C:/x", "c:\\x", "a\0b"])
def test_a_path_that_is_not_relative_is_refused(recipes: Path, path: str) -> None:
    assert "relative" in why_not(recipes, path) or "NUL" in why_not(recipes, path)


def test_an_absolute_path_in_the_project_is_said_relatively(recipes: Path) -> None:
    (recipes.parent / ".git").mkdir()
    assert "write '../photos/*.jpg'" in why_not(recipes, f"{recipes.parent}/photos/*.jpg")
    assert "write 'out'" in why_not(recipes, "~/shop/recipes/out")
    assert "must stay inside the repository" in why_not(recipes, "/etc/x")


@pytest.mark.parametrize("path", ["../../x", "a/../../../x", "./../../", "x/../../.."])
def test_a_path_that_climbs_out_is_refused(recipes: Path, path: str) -> None:
    (recipes.parent / ".git").mkdir()
    assert "leads out of the repository" in why_not(recipes, path)


def test_going_up_after_a_link_is_refused_since_it_can_be_read_in_two_ways(recipes: Path) -> None:
    (recipes.parent / ".git").mkdir()
    (recipes.parent / "far/deep").mkdir(parents=True)
    (recipes / "link").symlink_to(recipes.parent / "far/deep")
    assert "after the symbolic link 'link'" in why_not(recipes, "link/../x")
    assert "after the symbolic link 'link'" in why_not(recipes, "link/a/../../x")
    assert Project.of(recipes).place("link/x") == recipes / "link/x"


def test_a_recipe_reached_through_a_link_belongs_to_where_it_lies(recipes: Path) -> None:
    (recipes.parent / ".git").mkdir()
    elsewhere = recipes.parents[1] / "elsewhere"
    elsewhere.mkdir()
    (recipes / "linked").symlink_to(elsewhere)
    assert Project.of(recipes / "linked").root == elsewhere


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a/b", (0, ("a", "b"))),
        ("./a//b/", (0, ("a", "b"))),
        ("../a", (1, ("a",))),
        ("a/../../b", (1, ("b",))),
        ("../../", (2, ())),
        ("..a/b..", (0, ("..a", "b.."))),
    ],
)
def test_how_far_a_path_climbs(path: str, found: tuple[int, tuple[str, ...]]) -> None:
    assert climb(path) == found


def test_a_wildcard_cannot_be_taken_back() -> None:
    with pytest.raises(ValueError, match="after a wildcard"):
        climb("a/*/../b")
