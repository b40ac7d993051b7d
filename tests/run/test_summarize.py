from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Stage


def test_the_summary_says_what_became_of_everything(stage: Stage) -> None:
    (stage.folder / "in/broken.png").write_bytes(b"no image")
    stage.recipe([0, 1])
    summary = stage.run(cap=50_000)
    counts = summary.counts
    assert (counts.jobs, counts.made, counts.not_started, counts.rejected) == (2, 1, 1, 1)
    assert summary.exit == 7
    assert {int(issue.exit) for issue in summary.issues} == {1, 7}
    assert json.loads(Path(summary.manifest).read_text().splitlines()[0])["counts"]["done"] == 1
