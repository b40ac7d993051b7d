import json
import os
import pty
import sqlite3
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from jsonschema import Draft7Validator

from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.ledger.schema import MOVES_TRIGGER
from relightflow.recipe import published
from tests.cli.program import Relightflow, environment

from .conftest import Rehearsal, Write


def test_a_free_run_needs_no_cap_and_says_where_the_images_are(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    done = relightflow("run", "spring.yaml")
    assert done.returncode == 0
    assert done.stdout.startswith("spring: 2 of 2 jobs in place, ")
    assert len([path for path in (tmp_path / "out").iterdir() if path.stem != "manifest"]) == 2


def test_progress_goes_to_stderr_and_the_answer_to_stdout(
    relightflow: Relightflow, write: Write
) -> None:
    write()
    done = relightflow("run", "spring.yaml")
    assert done.stderr.startswith("spring: 0 of 2 done")
    assert "0 of 2 done" not in done.stdout


def test_a_finished_recipe_makes_nothing_again(relightflow: Relightflow, write: Write) -> None:
    write()
    relightflow("run", "spring.yaml")
    done = relightflow("run", "spring.yaml")
    assert done.stdout.startswith("spring: 2 of 2 jobs in place (all reused), ")


def test_the_summary_for_programs_is_one_line_that_keeps_its_schema(
    relightflow: Relightflow, write: Write
) -> None:
    write()
    document = json.loads(relightflow("run", "spring.yaml", "--json").stdout)
    Draft7Validator(published("summary")).validate(document)
    assert document["counts"]["made"] == 2


def test_quiet_says_nothing_of_a_good_run(relightflow: Relightflow, write: Write) -> None:
    write()
    done = relightflow("run", "-q", "spring.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_quiet_tells_of_trouble(relightflow: Relightflow, write: Write, tmp_path: Path) -> None:
    write()
    (tmp_path / "broken.png").write_bytes(b"no image")
    done = relightflow("run", "-q", "spring.yaml")
    assert done.returncode == 1
    assert "broken.png" in done.stderr


def test_a_paid_run_without_a_cap_is_refused_with_the_command_to_type(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write(backend="segmind")
    done = relightflow("run", "spring.yaml", stdin=subprocess.DEVNULL)
    assert done.returncode == 7
    assert "2 jobs for 0.10 USD" in done.stderr
    assert "\n  relightflow run spring.yaml --max-cost 0.10\n" in done.stderr
    assert not (tmp_path / ".relightflow").exists()


def test_yes_is_no_cap_where_nobody_can_be_asked(relightflow: Relightflow, write: Write) -> None:
    write(backend="segmind")
    assert relightflow("run", "spring.yaml", "--yes", stdin=subprocess.DEVNULL).returncode == 7


def test_one_invalid_recipe_and_none_is_run(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write("a")
    write("b", more="oops: 1\n")
    done = relightflow("run", "a.yaml", "b.yaml")
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()


def test_several_recipes_give_a_summary_each(relightflow: Relightflow, write: Write) -> None:
    write("a")
    write("b")
    done = relightflow("run", "--json", ".")
    assert [json.loads(line)["recipe"] for line in done.stdout.splitlines()] == ["a", "b"]


def test_nothing_found_is_fine_unless_it_is_said_to_fail(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    (tmp_path / "shoe.png").unlink()
    assert relightflow("run", "spring.yaml").returncode == 0
    done = relightflow("run", "spring.yaml", "--fail-if-empty")
    assert done.returncode == 2
    assert "no image was found" in done.stderr


def test_what_to_type_next_has_the_options_that_were_typed(
    relightflow: Relightflow, write: Write
) -> None:
    write()
    typed = ("run", "spring.yaml", "--set", "name=other", "--stop-after", "0s")
    done = relightflow(*typed)
    assert done.returncode == 75
    assert done.stdout.splitlines()[-1] == (
        "next: relightflow run spring.yaml --set name=other --stop-after 0s"
    )


class Terminal:
    """The program with a terminal on all three streams."""

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        self._master, slave = pty.openpty()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "relightflow", *arguments],
            cwd=folder, env=environment({"TERM": "xterm", **env}),
            stdin=slave, stdout=slave, stderr=slave, close_fds=True, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.said = ""

    def until(self, text: str) -> None:
        while text not in self.said:
            self.said += self._read()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> int:
        while piece := self._read():
            self.said += piece
        os.close(self._master)
        return self._child.wait(timeout=60)

    def _read(self) -> str:
        try:
            return os.read(self._master, 4096).decode(errors="replace")
        except OSError:  # how Linux says that the other end has gone
            return ""


def test_a_terminal_is_asked_and_no_is_the_default(write: Write, tmp_path: Path) -> None:
    write(backend="segmind")
    shown = Terminal(tmp_path, "run", "spring.yaml")
    shown.until("buy 2 jobs for 0.10 USD? [y/N]")
    shown.type("\n")
    assert shown.end() == 7
    assert "nothing was sent" in shown.said


def test_yes_at_a_terminal_answers_the_question(write: Write, tmp_path: Path) -> None:
    write(backend="segmind")
    shown = Terminal(tmp_path, "run", "spring.yaml", "--yes")
    assert shown.end() == 4  # there is no key, so it got past the question
    assert "[y/N]" not in shown.said


def test_ctrl_d_at_the_question_is_no(write: Write, tmp_path: Path) -> None:
    write(backend="segmind")
    shown = Terminal(tmp_path, "run", "spring.yaml")
    shown.until("[y/N]")
    shown.type("\x04")
    assert shown.end() in (7, 130)
    assert "Traceback" not in shown.said


def test_the_cursor_stays_visible_because_a_killed_process_cannot_give_it_back(
    write: Write, tmp_path: Path
) -> None:
    write()
    shown = Terminal(tmp_path, "run", "spring.yaml")
    assert shown.end() == 0
    hidden, visible = shown.said.find("\x1b[?25l"), shown.said.find("\x1b[?25h")
    assert visible > hidden
    # one at once, while the run goes on, and one at its end
    assert shown.said.count("\x1b[?25h") > shown.said.count("\x1b[?25l")


def test_no_color_is_honoured(write: Write, tmp_path: Path) -> None:
    write(more="oops: 1\n")
    shown = Terminal(tmp_path, "validate", "spring.yaml", NO_COLOR="1")
    shown.end()
    assert "\x1b[" not in shown.said


def test_errors_are_coloured_on_a_terminal(write: Write, tmp_path: Path) -> None:
    write(more="oops: 1\n")
    shown = Terminal(tmp_path, "validate", "spring.yaml")
    shown.end()
    assert "\x1b[31m\x1b[1merror:\x1b[0m" in shown.said


def test_a_paid_run_within_its_cap_is_billed_once_a_job(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal
) -> None:
    write(backend="segmind")
    done = relightflow("run", "spring.yaml", "--max-cost", "5", "--json", env=rehearsal.env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["money"]["spent_usd"] == 0.1
    relightflow("run", "spring.yaml", "--max-cost", "5", env=rehearsal.env)
    assert len(rehearsal.bill()) == 2


def test_yes_typed_at_a_terminal_buys_for_the_shown_total(
    write: Write, tmp_path: Path, rehearsal: Rehearsal
) -> None:
    write(backend="segmind")
    shown = Terminal(tmp_path, "run", "spring.yaml", **rehearsal.env)
    shown.until("buy 2 jobs for 0.10 USD? [y/N]")
    shown.type("y\n")
    assert shown.end() == 0, shown.said
    assert "cap 0.10 USD (confirmed on" in shown.said
    assert len(rehearsal.bill()) == 2


def test_a_job_that_failed_meanwhile_is_not_bought_again_without_a_cap(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    """No cap was asked for: the others were in place, one call in doubt, and nothing to buy."""
    write(backend="segmind", more="repeat: 2\n")
    env = {**rehearsal.env, SegmindHosts().settled: "0"}
    relightflow("run", "spring.yaml", "--max-cost", "5", env=rehearsal.env)
    ledger = sqlite3.connect(tmp_path / ".relightflow" / "ledger.sqlite3")
    with ledger:  # as a run left it that was killed, and whose call never arrived
        ledger.execute("DROP TRIGGER attempt_moves_legally")
        ledger.execute(
            "UPDATE attempt SET state = 'UNKNOWN', billed = 'unknown', blob = '', request_id = '',"
            " details = json_set(details, '$.image_digest', 'none') WHERE id = 2"
        )
    ledger.executescript(MOVES_TRIGGER)
    ledger.close()
    done = relightflow("run", "spring.yaml", env=env)
    assert done.returncode == 7, done.stderr
    assert "Run again with --max-cost" in " ".join(done.stdout.split())
    assert len(rehearsal.bill()) == 4


def test_the_operator_s_cap_holds_for_all_recipes_of_the_command(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal
) -> None:
    write("a", backend="segmind")
    write("b", backend="segmind", more="repeat: 2\n")
    done = relightflow("run", "a.yaml", "b.yaml", "--max-cost", "0.15", env=rehearsal.env)
    assert done.returncode == 7
    assert len(rehearsal.bill()) == 3


def test_no_key_is_ever_shown(relightflow: Relightflow, write: Write, rehearsal: Rehearsal) -> None:
    write(backend="segmind")
    done = relightflow("run", "spring.yaml", "--max-cost", "5", env=rehearsal.env)
    assert "SG_" not in done.stdout + done.stderr


def test_a_run_writes_a_junit_report(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    done = relightflow("run", "spring.yaml", "--junit", "build/junit.xml")
    assert done.returncode == 0, done.stderr
    suites = ElementTree.parse(tmp_path / "build" / "junit.xml").getroot()
    assert (suites.get("tests"), suites.get("failures")) == ("2", "0")
    assert {case.get("file") for case in suites.iter("testcase")} == {"spring.yaml"}
