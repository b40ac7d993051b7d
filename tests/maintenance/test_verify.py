from __future__ import annotations

import pytest

from relightflow.deliver.target import SinkTarget, open_targets
from relightflow.errors import EarlyStop, Exit
from relightflow.maintenance.verify import verify
from relightflow.model.maintenance import Verification
from relightflow.plugins.records import OperatorPolicy
from relightflow.run.opening import open_state
from relightflow.store.blobs import path_of
from tests.conftest import Stage


def targets(stage: Stage) -> tuple[SinkTarget, ...]:
    return open_targets(stage.plan().recipe, stage.registry, OperatorPolicy())


def test_a_state_that_was_never_used_is_sound_and_not_made(stage: Stage) -> None:
    assert verify(stage.state_dir, targets(stage)) == Verification(0, (), (), 0, (), ())
    assert not stage.state_dir.root.exists()


def test_every_blob_and_every_file_is_looked_at(stage: Stage) -> None:
    stage.recipe([0, 1, 2])
    stage.run()
    found = verify(stage.state_dir, targets(stage))
    assert (found.blobs, found.exit) == (3, Exit.OK)
    assert found.files >= 3


def test_a_damaged_blob_is_put_aside_and_a_lost_one_is_told_apart(stage: Stage) -> None:
    stage.recipe([0, 1, 2])
    stage.run()
    flipped, lost, _ = (attempt.blob for attempt in stage.attempts())
    path = path_of(stage.state_dir.blobs, flipped)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    path_of(stage.state_dir.blobs, lost).unlink()
    found = verify(stage.state_dir, targets(stage))
    assert (found.damaged, found.missing, found.exit) == ((flipped,), (lost,), Exit.DAMAGED)
    assert not path.exists(), "so that the next run fetches it again"
    assert set(verify(stage.state_dir, targets(stage)).missing) == {flipped, lost}


def test_an_edited_and_a_deleted_file_are_told_by_where_they_are(stage: Stage) -> None:
    stage.recipe([0, 1])
    stage.run()
    edited, gone = sorted(stage.out.glob("*.png"))
    edited.write_bytes(b"painted over")
    gone.unlink()
    found = verify(stage.state_dir, targets(stage))
    assert found.edited == (str(edited),)
    assert found.gone == (str(gone),)
    assert found.exit is Exit.JOBS_FAILED


def test_a_state_that_a_run_holds_is_not_verified(stage: Stage) -> None:
    stage.run()
    with open_state(stage.state_dir, "a run"), pytest.raises(EarlyStop, match="a run"):
        verify(stage.state_dir, ())
