from __future__ import annotations

import json
from pathlib import Path

import pytest

from relightflow.deliver.run_folder import RunFolder, write_summary
from relightflow.errors import StorageError
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome
from relightflow.model.values import FrozenMap


def test_a_summary_that_finds_no_room_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="could not be written"):
        write_summary(tmp_path / "gone", {})


async def test_events_that_waited_for_others_are_in_the_file_once_it_is_closed(
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path / "run")
    image = Image("a.png", "a" * 64, 10, 4, 4, "image/png", 0, "a.png")
    for number in range(3):
        folder.outcome(Outcome(Job(f"{number:064}", image, "b", "m", FrozenMap(), 0)))
    folder.close()
    events = (tmp_path / "run/events.jsonl").read_text().splitlines()
    assert [json.loads(event)["job"][-1] for event in events] == ["0", "1", "2"]
