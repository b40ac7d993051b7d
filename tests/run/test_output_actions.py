from typing import Any

from relightflow import api
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.planned_output import PlannedOutput
from relightflow.plugins.records import OperatorPolicy
from tests.conftest import DIRECTORY, Stage, make_store
from tests.scripted_backend import fails


def actions(stage: Stage, operator: OperatorPolicy | None = None) -> list[PlannedOutput]:
    found = api.output_actions(
        stage.plan(), stage.registry, operator or OperatorPolicy(), stage.state_dir
    )
    return list(found)


def told(stage: Stage, **more: Any) -> list[tuple[str, str]]:
    return [(str(one.action), one.reason) for one in actions(stage, **more)]


def test_what_was_never_tried_is_made_once_for_equal_bytes(stage: Stage) -> None:
    stage.image("b.png", "a.png")
    one, two = actions(stage)
    assert (one.action, one.reason, one.path) == ("make", "new", "a-0-0.*")
    assert two.reason == "bought once for in/a.png: the same bytes"
    assert one.location == str(stage.out)


def test_files_in_the_sink_decide_about_what_is_stored(stage: Stage) -> None:
    stage.recipe(shades=[1, 2, 3, 4])
    stage.run()
    (stage.out / "a-2-0.png").unlink()
    (stage.out / "a-3-0.png").write_bytes(b"edited")
    assert told(stage) == [
        ("in place", ""),
        ("deliver again", "the file is gone"),
        ("edited: kept", "the file was edited; --overwrite replaces it"),
        ("in place", ""),
    ]


def test_a_new_sink_gets_everything_from_the_store(stage: Stage) -> None:
    stage.run()
    stage.recipe(sinks=[{**DIRECTORY, "path": "new/"}])
    assert told(stage) == [("from the store", "stored, not delivered here yet")]
    (stage.folder / "new").mkdir()
    (stage.folder / "new" / "a-0-0.png").write_bytes(b"somebody's")
    assert told(stage) == [
        ("edited: kept", "the file is not relightflow's; --overwrite replaces it")
    ]


def test_a_failed_job_is_made_again_and_an_unknown_one_is_held(stage: Stage) -> None:
    def send(_: object, number: int) -> None:
        if number == 0:
            raise fails(FailureKind.JOB_FAILED)
        if number == 1:
            raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)
        if number == 2:
            raise fails(FailureKind.BAD_RESULT, Billed.YES)

    stage.recipe(shades=[1, 2, 3], concurrency=1)
    stage.provider.on_submit = send
    stage.run()
    failed, unknown, held = told(stage)
    assert failed == ("make", "failed before, not billed: the studio says job-failed")
    assert (unknown[0], held[0]) == ("unknown", "failed: held")
    assert held[1].startswith("billed, and gave no image: ")


def test_a_call_that_was_accepted_is_collected(stage: Stage) -> None:
    def away(_: object, __: int) -> None:
        raise fails(FailureKind.ACCOUNT, Billed.UNKNOWN)

    stage.provider.mode, stage.provider.on_collect = "v2", away
    stage.run()
    assert [action for action, _ in told(stage)] == ["collect"]


def test_a_damaged_blob_is_fetched_again(stage: Stage) -> None:
    stage.run()
    for blob in stage.state_dir.blobs.glob("??/*"):
        blob.unlink()
    assert told(stage)[0][0] == "collect"


def test_what_another_machine_bought_comes_from_its_store(
    stage: Stage, tmp_path_factory: Any
) -> None:
    other = Stage(tmp_path_factory.mktemp("other"))
    store = OperatorPolicy(store=make_store(f"file://{tmp_path_factory.mktemp('store')}"))
    other.operator = store
    other.run()
    ((action, reason),) = told(stage, operator=store)
    assert action == "from the store"
    assert reason.startswith("another machine bought it: file://")
    assert told(stage) == [("make", "new")]


def test_looking_changes_nothing(stage: Stage) -> None:
    told(stage)
    assert not stage.state_dir.root.exists()
    assert not stage.out.exists()
