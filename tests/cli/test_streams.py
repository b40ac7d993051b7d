"""Real processes with streams that are closed, full or without a reader; and plugins that print."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.program import Relightflow, environment

RECIPE = """\
version: 1
name: spring
sources: [{type: glob, include: ["*.png"]}]
matrix: {light_direction: [left, right]}
sinks: [{type: directory, path: out/}]
"""

Shell = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Runs a line of sh in which `$R` is the program, beside a recipe of two jobs."""
    (tmp_path / "r.yaml").write_text(RECIPE)
    Image.new("RGB", (48, 32), (90, 120, 150)).save(tmp_path / "shoe.png")

    def run(line: str, **env: str) -> "subprocess.CompletedProcess[str]":
        program = f"{sys.executable} -m relightflow"
        return subprocess.run(
            ["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60,
            env=environment({"R": program, **env}),
        )  # fmt: skip

    return run


def delivered(folder: Path) -> int:
    """Images, where the manifest that tells of them is there as well."""
    return len(list((folder / "out").glob("*.png"))) * (folder / "out/manifest.jsonl").is_file()


@pytest.mark.parametrize(
    "streams",
    [">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full"],
)
def test_a_run_is_finished_whatever_becomes_of_its_words(
    streams: str, shell: Shell, relightflow: Relightflow, tmp_path: Path
) -> None:
    done = shell(f"$R run r.yaml {streams}")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert delivered(tmp_path) == 2
    assert relightflow("verify", "r.yaml").returncode == 0  # no word went into a file of ours


def test_a_run_is_finished_although_nobody_reads_on(shell: Shell, tmp_path: Path) -> None:
    done = shell("{ $R run r.yaml 2>&1; echo $? >code; } | true")
    assert (tmp_path / "code").read_text() == "0\n"
    assert done.stderr == ""
    assert delivered(tmp_path) == 2


def test_the_exit_code_of_the_work_stays_where_words_are_lost(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert shell("$R run r.yaml >&- 2>/dev/full").returncode == 1
    assert shell("$R plan nothing.yaml >/dev/full 2>&-").returncode == 2


def test_a_list_ends_when_its_reader_has_enough(shell: Shell, tmp_path: Path) -> None:
    done = shell("{ $R plan r.yaml --jobs --json; echo $? >code; } | head -c 20")
    assert done.stdout == '{"kind": "plan", "ve'
    assert (done.stderr, (tmp_path / "code").read_text()) == ("", "0\n")


@pytest.mark.parametrize("command", ["run r.yaml --json", "plan r.yaml --json", "schema"])
def test_data_that_a_full_disk_cuts_short_is_told(command: str, shell: Shell) -> None:
    done = shell(f"$R {command} >/dev/full")
    assert done.returncode == 6
    assert done.stderr.endswith(
        "error: standard output cannot be written: No space left on device\n"
    )


def test_no_file_of_ours_takes_the_number_of_a_closed_stream(shell: Shell, tmp_path: Path) -> None:
    plugin = "import os\nassert os.fstat(1) and os.fstat(2)\nos.write(1, b'x')\nos.write(2, b'x')\n"
    install(tmp_path, plugin)
    assert shell("$R run r.yaml <&- >&- 2>&-", PYTHONPATH=path(tmp_path)).returncode == 0
    assert shell("$R verify r.yaml").returncode == 0


def test_what_a_plugin_prints_never_mixes_with_an_answer(shell: Shell, tmp_path: Path) -> None:
    install(
        tmp_path,
        "import os, subprocess, sys\n"
        "print('printed by a plugin')\n"
        "sys.stdout.write('written by a plugin\\n')\n"
        "os.write(1, b'from below\\n')\n"
        "subprocess.run(['echo', 'from a child'], check=True)\n",
    )
    done = shell("$R run r.yaml --json", PYTHONPATH=path(tmp_path))
    assert done.returncode == 0
    assert json.loads(done.stdout)["kind"] == "summary"  # one line, and nothing else
    for words in ("printed by a plugin", "written by a plugin", "from below", "from a child"):
        assert words in done.stderr


def test_what_a_sink_of_a_plugin_prints_in_a_run_never_mixes_with_json(
    shell: Shell, tmp_path: Path
) -> None:
    install(
        tmp_path,
        "from relightflow import hookimpl\n"
        "@hookimpl\n"
        "def relightflow_job_finished(run_id, outcome):\n"
        "    print('done', outcome.job.id)\n",
    )
    done = shell("$R run r.yaml --json", PYTHONPATH=path(tmp_path))
    assert json.loads(done.stdout)["counts"]["made"] == 2
    assert done.stderr.count("done ") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--json", "--nope"),
        ("plan", "--json"),
        ("run", "r.yaml", "--json", "--max-cost", "much"),
        ("plan", "r.yaml", "--json", "--only", "moon=full"),
        ("pick", "p.json", "--json"),
        ("account", "--json", "--backend", "nobody"),
        ("gc", "--json", "--frobnicate"),
    ],
)
def test_json_is_printed_for_a_wrong_command_line_too(
    arguments: tuple[str, ...], relightflow: Relightflow, tmp_path: Path
) -> None:
    (tmp_path / "r.yaml").write_text(RECIPE)
    done = relightflow(*arguments)
    assert done.returncode == 2
    document = json.loads(done.stdout)
    assert (document["kind"], document["exit"]) == ("error", 2)
    assert document["message"].splitlines()[0] in done.stderr


def test_after_two_dashes_json_is_a_name(relightflow: Relightflow) -> None:
    done = relightflow("plan", "--", "--json")
    assert (done.returncode, done.stdout) == (2, "")


def test_a_name_that_the_terminal_cannot_spell_is_escaped(shell: Shell, tmp_path: Path) -> None:
    Image.new("RGB", (48, 32)).save(tmp_path / "日本.png")
    done = shell("$R plan r.yaml --jobs", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "\\u65e5\\u672c.png" in done.stdout


def path(folder: Path) -> str:
    return os.pathsep.join((str(folder / "site"), str(Path(__file__).parents[2])))


def install(folder: Path, code: str) -> None:
    """A plugin, as pip would leave it."""
    info = folder / "site/loud-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "site/loud.py").write_text(code)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[relightflow]\nloud = loud\n")
