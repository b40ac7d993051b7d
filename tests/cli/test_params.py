from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from relightflow.cli import params
from relightflow.errors import UsageError
from relightflow.model.plan import Selection
from relightflow.plugins.records import OperatorPolicy


def selected(*arguments: str) -> Selection:
    seen: list[Any] = []

    @click.command
    @params.selection
    def command(selection: Selection) -> None:
        seen.append(selection)

    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: Selection = seen[0]
    return found


def test_values_of_one_axis_are_gathered_and_axes_kept_apart() -> None:
    found = selected("--only", "a=x,y", "--only", "b=z", "--only", "a=w", "--limit", "3")
    assert found == Selection((("a", ("x", "y", "w")), ("b", ("z",))), 3)


def test_nothing_said_selects_everything() -> None:
    assert selected() == Selection()


def test_a_folder_stands_for_its_recipes_sorted(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "notes.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "deep.yaml").mkdir()
    assert params.found((tmp_path,)) == (tmp_path / "a.yaml", tmp_path / "b.yml")


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("")
    assert params.found((tmp_path / "a.yaml", tmp_path)) == (tmp_path / "a.yaml",)


def test_a_folder_without_recipes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \*\.yaml"):
        params.found((tmp_path,))


def test_a_file_that_is_missing_is_left_to_the_reader(tmp_path: Path) -> None:
    assert params.found((tmp_path / "gone.yaml",)) == (tmp_path / "gone.yaml",)


def test_state_is_looked_for_beside_a_folder_s_recipes(tmp_path: Path) -> None:
    (tmp_path / ".relightflow").mkdir()
    assert params.state_dir(tmp_path, None).root == tmp_path / ".relightflow"


def test_what_only_the_operator_may_say_is_one_noun() -> None:
    seen: list[OperatorPolicy] = []

    @click.command
    @params.operator
    def command(operator: OperatorPolicy) -> None:
        seen.append(operator)

    for arguments in ([], ["--offline"], ["--allow-private-network", "--output-host", "a.example"]):
        assert CliRunner().invoke(command, arguments).exit_code == 0
    assert seen == [
        OperatorPolicy(),
        OperatorPolicy(offline=True),
        OperatorPolicy(True, ("a.example",)),
    ]


def put(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("files", "meant"),
    [
        (("recipe.yaml", "other.yaml", "recipes/a.yaml"), "recipe.yaml"),
        (("recipe.yml",), "recipe.yml"),
        (("recipes/a.yml", "recipes/notes.txt", "docker.yaml"), "recipes/a.yml"),
    ],
)
@pytest.mark.usefixtures("here")
def test_where_no_recipe_is_named_it_is_the_one_that_is_there(
    files: tuple[str, ...], meant: str
) -> None:
    put(*files)
    assert params.found_or_only(()) == (Path(meant),)
    assert params.found_or_only((Path("x.yaml"),)) == (Path("x.yaml"),)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ((), "there is none here; write one with: relightflow init"),
        (("recipes/notes.txt",), "there is none here"),
        (("shop.yaml",), "here are shop.yaml; name one: relightflow plan --jobs shop.yaml"),
        (("recipes/b.yaml", "recipes/a.yaml"), "here are recipes/a.yaml, recipes/b.yaml; name one"),
        (tuple(f"recipes/{n}.yaml" for n in range(20)), "recipes/15.yaml and 12 more"),
    ],
)
@pytest.mark.usefixtures("here")
def test_where_it_is_not_clear_the_recipes_that_are_there_are_listed(
    files: tuple[str, ...], told: str
) -> None:
    put(*files)
    with (
        click.Context(click.Command("plan"), obj=["plan", "--jobs"]).scope(),
        pytest.raises(UsageError) as caught,
    ):
        params.found_or_only(())
    assert told in str(caught.value)


def test_the_state_is_that_of_the_recipe_that_is_meant(here: Path) -> None:
    put("recipes/a.yaml", "recipes/b.yaml")
    (here / "recipes/.relightflow").mkdir()
    assert params.state_dir(None, None).root == here / "recipes/.relightflow"
    put("recipe.yaml")
    assert params.state_dir(None, None).root == here / ".relightflow"
