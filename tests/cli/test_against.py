"""`plan --against` and the comment, as processes in real repositories."""

import json
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.program import Relightflow

RECIPE = """\
version: 1
name: spring
sources: [{type: glob, include: ["*.png"]}]
backend: {type: segmind}
matrix: {light_direction: [left, right]}
limits: {max_cost: 3}
sinks: [{type: directory, path: out/}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a paid recipe of two jobs, committed as `main`."""
    Image.new("RGB", (48, 32), (90, 120, 150)).save(tmp_path / "shoe.png")
    (tmp_path / "spring.yaml").write_text(RECIPE)
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("add", "-A"),
        ("-c", "user.name=me", "-c", "user.email=me@example.com", "commit", "-qm", "one"),
    ):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    return tmp_path


def edit(project: Path, old: str, new: str) -> None:
    recipe = project / "spring.yaml"
    recipe.write_text(recipe.read_text().replace(old, new))


AGAINST = ("plan", "spring.yaml", "--against", "main")


def test_a_cosmetic_edit_is_no_difference(relightflow: Relightflow, project: Path) -> None:
    edit(project, "version: 1", "# spring\nversion: 1")
    done = relightflow(*AGAINST)
    assert "changed  0 jobs added, 0 removed, 2 kept" in done.stdout
    quiet = relightflow(*AGAINST, "--format", "github", "--skip-no-diff")
    assert (quiet.returncode, quiet.stdout) == (0, "")


def test_a_value_an_image_and_a_removed_one_are_priced(
    relightflow: Relightflow, project: Path
) -> None:
    edit(project, "[left, right]", "[left, top]")
    Image.new("RGB", (48, 32), (1, 2, 3)).save(project / "hat.png")
    found = json.loads(relightflow(*AGAINST, "--json").stdout)["difference"]
    assert (found["added"], found["removed"], found["kept"], found["new"]) == (2, 2, 2, 2)
    assert found["price_usd"] == {"low": 0.1, "high": 0.1}
    assert "light_direction=top" in {change["name"] for change in found["values"]}
    subprocess.run(["git", "add", "hat.png"], cwd=project, check=True)
    found = json.loads(relightflow(*AGAINST, "--json").stdout)["difference"]
    assert (found["added"], found["removed"], found["new"]) == (3, 1, 3), "git did not have it"


def test_a_recipe_that_is_new_is_added_as_a_whole(relightflow: Relightflow, project: Path) -> None:
    (project / "new.yaml").write_text(RECIPE.replace("spring", "summer"))
    done = relightflow("plan", "new.yaml", "--against", "main", "--format", "github")
    assert done.stdout.startswith(
        "**+ 0.10 USD: 2 new jobs, 0 reused, 0 in doubt; cap 3.00 USD**\n"
    )
    assert "summer (new recipe)" in done.stdout


def test_a_recipe_that_was_broken_is_compared_with_nothing_and_says_so(
    relightflow: Relightflow, project: Path
) -> None:
    edit(project, "version: 1", "version: one")
    for arguments in (
        ("add", "-A"),
        ("-c", "user.name=m", "-c", "user.email=m@x", "commit", "-qm", "x"),
    ):
        subprocess.run(["git", *arguments], cwd=project, check=True)
    edit(project, "version: one", "version: 1")
    done = relightflow(*AGAINST)
    assert done.returncode == 0, done.stderr
    assert "nothing to compare with: 2 jobs added" in done.stdout
    assert "note     the recipe at main cannot be planned" in done.stdout
    assert str(project) not in done.stdout.replace(str(project / ".git"), "")


def test_a_plan_file_can_be_compared_with(relightflow: Relightflow, project: Path) -> None:
    relightflow("plan", "spring.yaml", "-o", "plan.json")
    edit(project, "[left, right]", "[left, right, top]")
    done = relightflow("plan", "spring.yaml", "--against", "plan.json")
    assert "changed  1 job added, 0 removed, 2 kept" in done.stdout


def test_a_failed_recipe_is_told_in_the_comment_and_by_the_exit_code(
    relightflow: Relightflow, project: Path
) -> None:
    edit(project, "[left, right]", "[left, bottom]")
    done = relightflow(*AGAINST, "--format", "gitlab", "--skip-no-diff")
    assert done.returncode == 2
    assert done.stdout.startswith("**no price: no recipe can be planned**")
    assert "not allowed" in done.stdout


@pytest.mark.parametrize(
    ("options", "code", "commented"),
    [
        (("--comment-above", "0.05"), 0, False),
        (("--comment-above", "0.04"), 0, True),
        (("--fail-above", "0.05"), 0, True),
        (("--fail-above", "0.04"), 9, True),
        (("--fail-above", "0.05", "--exit-code"), 3, True),
    ],
)
def test_the_price_decides_about_comment_and_failure(
    relightflow: Relightflow, project: Path, options: tuple[str, ...], code: int, commented: bool
) -> None:
    edit(project, "[left, right]", "[left, right, top]")
    done = relightflow(*AGAINST, "--format", "github", *options)
    assert (done.returncode, bool(done.stdout)) == (code, commented)
    if code == 9:
        assert "costs up to 0.05 USD, and --fail-above allows 0.04 USD" in done.stderr


def test_a_budget_can_be_checked_without_a_comparison(
    relightflow: Relightflow, project: Path
) -> None:
    assert relightflow("plan", "spring.yaml", "--offline", "--fail-above", "0.1").returncode == 0
    assert relightflow("plan", "spring.yaml", "--offline", "--fail-above", "0.09").returncode == 9


def test_an_unknown_commit_is_told_with_what_to_do(relightflow: Relightflow, project: Path) -> None:
    done = relightflow("plan", "spring.yaml", "--against", "origin/main")
    assert done.returncode == 2
    assert "fetch it first" in done.stderr


def test_outside_of_a_repository_it_is_said(relightflow: Relightflow, tmp_path: Path) -> None:
    (tmp_path / "spring.yaml").write_text(RECIPE)
    done = relightflow(*AGAINST)
    assert done.returncode == 2
    assert "is in no git repository" in done.stderr


def test_neither_the_work_tree_nor_the_repository_is_changed(
    relightflow: Relightflow, project: Path
) -> None:
    before = sorted(path.relative_to(project) for path in project.rglob("*"))
    relightflow(*AGAINST)
    assert sorted(path.relative_to(project) for path in project.rglob("*")) == before
