import json
from pathlib import Path

from tests.cli.program import Relightflow

from .conftest import Write


def test_a_sound_state_is_told(relightflow: Relightflow, write: Write) -> None:
    write()
    relightflow("run", "spring.yaml")
    done = relightflow("verify", "spring.yaml")
    assert done.returncode == 0
    assert "2 stored results" in done.stdout
    assert "no problems found" in done.stdout


def test_a_flipped_bit_in_the_store_ends_with_8(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    relightflow("run", "spring.yaml")
    blob = next(p for p in (tmp_path / ".relightflow/blobs").rglob("*") if len(p.name) == 64)
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(data)
    done = relightflow("verify", "spring.yaml", "--json")
    assert done.returncode == 8
    assert json.loads(done.stdout)["damaged"] == [blob.name]


def test_a_deleted_and_an_edited_output_are_told(
    relightflow: Relightflow, write: Write, tmp_path: Path
) -> None:
    write()
    relightflow("run", "spring.yaml")
    first, second = sorted(p for p in (tmp_path / "out").iterdir() if p.stem != "manifest")
    first.unlink()
    second.write_bytes(b"mine")
    done = relightflow("verify", "spring.yaml")
    assert done.returncode == 1
    assert first.name in done.stdout
    assert second.name in done.stdout


def test_a_state_that_was_never_used_is_sound(relightflow: Relightflow, write: Write) -> None:
    write()
    assert relightflow("verify", "spring.yaml").returncode == 0
