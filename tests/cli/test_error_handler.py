import json

import click
import pytest

from relightflow.cli.error_handler import run_guarded
from relightflow.errors import Exit, InvalidRecipe, Problem, RefusedError


def test_a_command_that_says_nothing_ends_with_zero() -> None:
    assert run_guarded(lambda: None) == 0


def test_a_command_s_own_code_is_kept() -> None:
    assert run_guarded(lambda: Exit.WORK_TO_DO) == 3


def test_a_problem_of_the_user_s_world_is_words_and_its_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse() -> None:
        raise RefusedError("no: \x1b[31mred")

    assert run_guarded(refuse) == 9
    assert capsys.readouterr() == ("", "error: no: \\x1b[31mred\n")


def test_all_problems_of_a_recipe_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    def invalid() -> None:
        raise InvalidRecipe([Problem("r", 1, 2, "a", "one"), Problem("r", 3, 4, "b", "two")])

    assert run_guarded(invalid) == 2
    assert capsys.readouterr().err == "error: r:1:2: a: one\nr:3:4: b: two\n"


def test_ctrl_c_ends_with_130_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    assert run_guarded(interrupt) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


def test_a_wrong_command_line_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    def wrong() -> None:
        raise click.UsageError("no such option")

    assert run_guarded(wrong) == 2
    assert capsys.readouterr().err == "error: no such option\n"


def test_a_bug_shows_a_traceback_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGMIND_API_KEY", "not-a-usual-key-1")

    def bug() -> None:
        raise RuntimeError("SG_0123456789abcdef not-a-usual-key-1 https://u:p@h/x?sig=1")

    assert run_guarded(bug) == 1
    said = capsys.readouterr().err
    assert "this is a bug in relightflow" in said
    assert "RuntimeError: [removed] [removed] https://h/x" in said


def test_with_json_a_wrong_command_line_is_a_document_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def wrong() -> None:
        raise click.UsageError("no such option")

    assert run_guarded(wrong, as_json=True) == 2
    out, err = capsys.readouterr()
    assert err == "error: no such option\n"
    document = json.loads(out)
    assert (document["kind"], document["message"], document["exit"]) == (
        "error",
        "no such option",
        2,
    )


def test_with_json_an_interruption_is_a_document_with_its_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    assert run_guarded(interrupt, as_json=True) == 130
    assert json.loads(capsys.readouterr().out)["exit"] == 130
