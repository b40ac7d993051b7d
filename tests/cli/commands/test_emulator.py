import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from relightflow.backends.emulator.options import OPTIONS
from tests.cli.program import Relightflow, environment


def test_the_emulator_serves_until_it_is_stopped(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "relightflow", "emulator", "--port", "0"],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert child.stdout
        line = next(line for line in child.stdout if "http://127.0.0.1:" in line)
        port = line.split("http://127.0.0.1:")[1].split()[0].split("/")[0].strip(".,")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/__bill", timeout=20) as answer:
            assert answer.status == 200
    finally:
        child.send_signal(signal.SIGINT)
        rest = child.communicate(timeout=20)[0]
    assert "Traceback" not in rest


def test_other_machines_may_not_reach_it_unless_said(relightflow: Relightflow) -> None:
    done = relightflow("emulator", "--host", "0.0.0.0")
    assert done.returncode == 9
    assert "--allow-public-host" in done.stderr


def test_a_value_that_cannot_be_is_told(relightflow: Relightflow) -> None:
    done = relightflow("emulator", "--rate", "fast")
    assert done.returncode == 2
    assert "50/5s" in done.stderr


def test_every_option_of_the_emulator_is_offered(relightflow: Relightflow) -> None:
    said = relightflow("emulator", "-h").stdout
    assert [option.name for option in OPTIONS if option.name not in said] == []
