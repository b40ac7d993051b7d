"""The built-in checks pass the kit that is shipped for everybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relightflow.checks.builtin import relightflow_checks
from relightflow.testing import verify_check

RECORDS = {record.name: record for record in relightflow_checks()}
OPTIONS: dict[str, dict[str, Any]] = {
    "brighter": {"axis": "light_direction", "order": ["left", "right"]},
    "format": {"allowed": ["png"]},
    "golden": {"manifest": "accepted/manifest.jsonl"},
    "size": {"min_width": 10, "max_height": 2000},
}


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_it_keeps_the_protocol(name: str, tmp_path: Path) -> None:
    (tmp_path / "accepted").mkdir()
    (tmp_path / "accepted/manifest.jsonl").write_text("")
    verify_check(RECORDS[name], tmp_path, OPTIONS.get(name, {}))
