"""`adopt`: a clone without a state takes over what its manifest says, file by file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.cli.commands.conftest import Rehearsal, Write
from tests.cli.program import Relightflow


def test_files_that_match_their_manifest_become_results(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    write(backend="segmind")
    relightflow("run", "spring.yaml", "--max-cost", "1", env=rehearsal.env)
    shutil.rmtree(tmp_path / ".relightflow")
    adopted = relightflow("adopt", "spring.yaml", env=rehearsal.env)
    assert adopted.returncode == 0, adopted.stderr
    assert "spring.yaml: 2 results adopted, 0.10 USD; nothing was bought" in adopted.stdout
    again = relightflow("run", "spring.yaml", "--max-cost", "1", "--json", env=rehearsal.env)
    counts = json.loads(again.stdout)["counts"]
    assert (counts["made"], counts["reused"], len(rehearsal.bill())) == (0, 2, 2)


def test_an_edited_file_is_left_and_ends_with_9(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    write(backend="segmind")
    relightflow("run", "spring.yaml", "--max-cost", "1", env=rehearsal.env)
    shutil.rmtree(tmp_path / ".relightflow")
    edited = next(path for path in (tmp_path / "out").rglob("*") if path.suffix in (".png", ".jpg"))
    edited.write_bytes(b"painted over")
    adopted = relightflow("adopt", "spring.yaml", env=rehearsal.env)
    assert adopted.returncode == 9
    assert "1 job not adopted: the file is missing, edited" in adopted.stdout
    document = json.loads(relightflow("adopt", "spring.yaml", "--json", env=rehearsal.env).stdout)
    assert len(document["not_adopted"]) == 1
    assert edited.read_bytes() == b"painted over"
