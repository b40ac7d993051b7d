"""Whether one more call may be made, in whole runs."""

from __future__ import annotations

from tests.conftest import Stage


def test_a_run_whose_lock_file_is_deleted_buys_nothing_more(stage: Stage) -> None:
    stage.recipe([0, 1, 2], concurrency=1)

    def tidy(_: object, number: int) -> None:
        if number == 0:
            stage.state_dir.lock.unlink()

    stage.provider.on_submit = tidy
    summary = stage.run()
    assert summary.exit == 75
    assert len(stage.provider.bill) == 1
    assert "was deleted or replaced" in summary.issues[0].message
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 3
