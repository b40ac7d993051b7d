import json
from pathlib import Path

from tests.cli.program import Relightflow

from .conftest import Write


def test_it_lists_first_and_takes_away_only_when_told(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    relightflow("run", "spring.yaml")
    stray = tmp_path / ".relightflow/blobs/ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"left by a crash")
    listed = relightflow("gc", "spring.yaml")
    assert listed.returncode == 0, listed.stderr
    assert "1 result of 0.0 MB and 0 old runs can be removed" in listed.stdout
    assert stray.exists()
    gone = relightflow("gc", "spring.yaml", "--delete", "--json")
    assert json.loads(gone.stdout)["results"] == ["ab" * 32]
    assert not stray.exists()
    assert relightflow("run", "spring.yaml").stdout.startswith("spring: 2 of 2 jobs in place (all")
