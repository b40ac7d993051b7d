from __future__ import annotations

import shutil

import pytest

from relightflow.errors import Exit
from relightflow.maintenance.resolve import held_attempts
from relightflow.model.attempt import State
from relightflow.plugins.records import OperatorPolicy
from relightflow.store import blobs
from tests.conftest import Stage, make_store


def test_a_lost_blob_of_a_free_backend_is_made_again(stage: Stage) -> None:
    stage.recipe(model="gift")
    stage.provider.mode = "v2"
    stage.run()
    lose(stage)
    assert stage.run().exit == 0
    assert stage.images() == ["a-0-0.png"]


def test_a_lost_blob_is_fetched_from_where_the_result_was(stage: Stage) -> None:
    stage.provider.mode = "v2"
    stage.run()
    lose(stage)
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 1
    assert stage.images() == ["a-0-0.png"]


def test_a_lost_blob_that_nobody_has_is_told_and_not_bought_again(stage: Stage) -> None:
    stage.run()
    lose(stage)
    for _ in range(2):
        summary = stage.run()
        assert summary.exit == Exit.DAMAGED
        assert any("paid for" in issue.message for issue in summary.issues)
    assert len(stage.provider.submits) == 1


@pytest.mark.parametrize("harm", ["lost", "flipped"])
def test_a_lost_blob_comes_back_from_the_store_that_machines_share(stage: Stage, harm: str) -> None:
    stage.operator = OperatorPolicy(store=make_store(f"file://{stage.folder}/store"))
    stage.run()
    blob = blobs.path_of(stage.state_dir.blobs, stage.attempts()[0].blob)
    if harm == "lost":
        blob.unlink()
    else:
        blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    shutil.rmtree(stage.out)
    assert stage.run().exit in (Exit.OK, Exit.DAMAGED)  # of a flipped bit the delivery tells first
    assert stage.run().exit is Exit.OK
    assert stage.images() == ["a-0-0.png"]
    assert len(stage.provider.submits) == 1


@pytest.mark.parametrize("harm", ["lost", "cut"])
def test_a_lost_blob_is_told_of_even_where_its_delivered_file_is_in_place(
    stage: Stage, harm: str
) -> None:
    stage.run()
    blob = blobs.path_of(stage.state_dir.blobs, stage.attempts()[0].blob)
    if harm == "cut":
        blob.write_bytes(blob.read_bytes()[:-3])
    else:
        blob.unlink()
    assert stage.run().exit == Exit.DAMAGED
    [waiting] = held_attempts(
        stage.state_dir
    )  # 'resolve --resubmit' can take it, as the message says
    assert waiting.state is State.DONE
    assert len(stage.provider.bill) == 1


def test_a_bug_while_a_blob_is_fetched_again_harms_no_other_job(stage: Stage) -> None:
    stage.provider.mode = "v2"
    stage.run()
    lose(stage)

    def script(_: object, __: int) -> None:
        raise ZeroDivisionError("oops")

    stage.image("b.png")
    stage.provider.mode = "instant"
    stage.provider.on_collect = script
    summary = stage.run()
    assert summary.counts.made == 1
    assert "b-0-0.png" in stage.images()


def test_a_flipped_bit_is_found_when_the_blob_is_read_and_mended_by_the_next_run(
    stage: Stage,
) -> None:
    stage.provider.mode = "v2"
    stage.run()
    blob = blobs.path_of(stage.state_dir.blobs, stage.attempts()[0].blob)
    sound = blob.read_bytes()
    blob.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
    (stage.out / "a-0-0.png").unlink()
    assert stage.run().exit == Exit.DAMAGED
    assert stage.images() == []
    assert stage.run().exit == 0
    assert (stage.out / "a-0-0.png").read_bytes() == sound
    assert len(stage.provider.bill) == 1


def lose(stage: Stage) -> None:
    blobs.path_of(stage.state_dir.blobs, stage.attempts()[0].blob).unlink()
    (stage.out / "a-0-0.png").unlink()
