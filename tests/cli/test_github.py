"""Which recorded run a path means, and what cannot be shown; what is shown is tests/report/test_github.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relightflow.cli import github
from relightflow.cli.console import Console
from relightflow.cli.params import RecipeArguments
from relightflow.errors import Exit, UsageError
from tests.conftest import Stage

HEAD = {"record": "recipe", "format": 1, "recipe": {"name": "demo", "sha256": "0" * 64}}


def write(stage: Stage, *paths: Path, link: str = "", quiet: bool = False) -> Exit:
    reading = RecipeArguments(paths, (), "")
    return github.write(reading, None, link, stage.registry, Console(quiet=quiet))


@pytest.fixture
def done(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage.recipe([0, 1])
    stage.run()
    monkeypatch.chdir(stage.folder)
    return stage


def test_a_recipe_means_its_newest_run(done: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert write(done, done.path) is Exit.OK
    first = capsys.readouterr().out
    done.recipe([0, 1, 2])
    done.run()
    assert write(done, done.path) is Exit.OK
    second = capsys.readouterr().out
    assert "demo" in second
    assert second != first


def test_a_folder_or_a_manifest_means_what_is_recorded_there(
    done: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    write(done, done.out)
    folder = capsys.readouterr().out
    write(done, done.out / "manifest.jsonl")
    assert capsys.readouterr().out == folder
    assert "demo" in folder


def test_a_recipe_that_never_ran_has_nothing_to_show(stage: Stage) -> None:
    with pytest.raises(UsageError, match="no run of 'demo' is recorded in the state; run it first"):
        write(stage, stage.path)


def test_an_invalid_recipe_is_annotated_and_hides_no_other(
    done: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = done.folder / "wrong.yaml"
    wrong.write_text("version: 1\nname: wrong\nsources: []\n")
    assert write(done, wrong, done.path) is Exit.INVALID
    said = capsys.readouterr()
    assert "demo" in said.out
    assert "::error" in said.err
    assert "wrong.yaml" in said.err


@pytest.mark.parametrize("line", ["", "[", "[" * 100_000, "[]", '{"recipe": 3}', "\x00\xff"])
def test_what_is_no_manifest_is_told(stage: Stage, line: str) -> None:
    path = stage.folder / "m.jsonl"
    path.write_text(line, encoding="latin-1")
    with pytest.raises(UsageError, match=r"m\.jsonl: not a manifest"):
        write(stage, path)


@pytest.mark.parametrize("summary", ["", "[" * 100_000, "[]", '{"kind": "plan"}'])
def test_a_summary_that_is_none_is_left_out(
    stage: Stage, summary: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (stage.folder / "m.jsonl").write_text(json.dumps(HEAD) + "\n")
    (stage.folder / "summary.json").write_text(summary)
    assert write(stage, stage.folder / "m.jsonl") is Exit.OK
    assert "demo" in capsys.readouterr().out


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "example.com", "https://x/a b", "https://x/)"]
)
def test_a_link_is_a_web_address_that_cannot_end_early(done: Stage, link: str) -> None:
    with pytest.raises(UsageError, match="not a web address"):
        write(done, done.path, link=link)


def test_quiet_leaves_the_annotations_out(done: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = done.folder / "wrong.yaml"
    wrong.write_text("version: 1\n")
    write(done, wrong, quiet=True)
    assert "::error" not in capsys.readouterr().err
