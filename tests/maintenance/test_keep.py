"""Edited files are accepted as they are; tests/cli/commands/test_keep.py has the whole of it."""

import pytest
from PIL import Image

from relightflow.deliver.input_metadata import InputMetadata
from relightflow.deliver.target import open_targets
from relightflow.errors import EarlyStop, UsageError
from relightflow.ledger.lock import acquire
from relightflow.maintenance.keep import Keeping, keep
from relightflow.model.image import Image as InputImage
from relightflow.plugins.records import OperatorPolicy
from tests.conftest import Stage


def kept(stage: Stage, *files: str, undo: bool = False) -> Keeping:
    plan = stage.plan()
    targets = open_targets(plan.recipe, stage.registry, OperatorPolicy())

    def read(image: InputImage) -> bytes:
        return (stage.folder / image.name).read_bytes()

    return keep(plan, targets, stage.state_dir, InputMetadata(read), files, undo)


def test_each_file_is_accepted_by_itself(stage: Stage) -> None:
    stage.image("twin.png", "a.png")
    stage.recipe([0, 1])
    stage.run()
    assert kept(stage) == Keeping()
    mine = [stage.out / "a-0-0.png", stage.out / "twin-0-0.png"]
    for path in mine:
        Image.new("RGB", (4, 4)).save(path)
    names = tuple(map(str, mine))
    assert kept(stage) == Keeping(edited=names)
    assert kept(stage, names[1]) == Keeping((names[1],), (names[0],))
    assert stage.run().counts.kept_edits == 1
    assert kept(stage, str(stage.out)) == Keeping((names[0],))
    assert stage.run().exit == 0
    assert kept(stage, *names, undo=True) == Keeping(undone=names)
    assert stage.run().counts.kept_edits == 2


def test_a_copy_in_another_format_can_be_accepted(stage: Stage) -> None:
    stage.recipe(sinks=[{"type": "directory", "path": "out/", "format": "webp"}])
    stage.run()
    (path,) = stage.out.glob("*.webp")
    Image.new("RGB", (4, 4)).save(path)
    assert kept(stage, str(path)).kept == (str(path),)
    assert stage.run().exit == 0


def test_a_run_that_goes_on_is_not_disturbed(stage: Stage) -> None:
    stage.run()
    with acquire(stage.state_dir.lock, "somebody"), pytest.raises(EarlyStop):
        kept(stage)


def test_without_a_ledger_nothing_was_delivered(stage: Stage) -> None:
    with pytest.raises(UsageError, match="no run has delivered anything"):
        kept(stage)
