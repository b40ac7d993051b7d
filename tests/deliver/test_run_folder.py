from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.deliver.run_folder import write_summary
from relightflow.errors import StorageError


def test_a_summary_that_finds_no_room_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="could not be written"):
        write_summary(tmp_path / "gone", {})
