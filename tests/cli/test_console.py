import pytest

from relightflow.cli import console
from relightflow.cli.console import Console


def test_answers_go_to_stdout_and_the_rest_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Console().answer("answer")
    Console().say("said")
    Console().warn("careful")
    assert capsys.readouterr() == ("answer\n", "said\nwarning: careful\n")


def test_json_takes_the_place_of_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Console(json=True)
    shown.answer("answer")
    shown.document('{"a": 1}')
    assert capsys.readouterr().out == '{"a": 1}\n'


def test_without_json_no_document_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    Console().document('{"a": 1}')
    assert capsys.readouterr().out == ""


def test_quiet_leaves_errors_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Console(json=True, quiet=True)
    quiet.answer("answer")
    quiet.say("said")
    quiet.warn("careful")
    quiet.document("{}")
    console.error("wrong")
    assert capsys.readouterr() == ("{}\n", "error: wrong\n")


@pytest.mark.parametrize("quiet", [Console(quiet=True), Console(json=True)])
def test_trouble_is_told_even_where_the_answer_is_not(
    quiet: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet.issue("2 failed")
    assert capsys.readouterr() == ("", "2 failed\n")


def test_a_log_gets_no_command_wherever_it_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Console().answer("::error::a")
    Console().say("a ##vso[task.x]")
    Console().warn("::add-mask::b")
    assert capsys.readouterr() == (
        "\\x3a:error::a\n",
        "a #\\x23vso[task.x]\nwarning: ::add-mask::b\n",
    )
