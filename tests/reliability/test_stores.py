"""Two machines and one store: the short form of `python -m benchmarks.reliability stores`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.reliability import stores
from benchmarks.reliability.rehearsal import Work


def test_machines_that_start_at_once_buy_each_job_once(tmp_path: Path) -> None:
    one = stores.Try("started at once", Work("v2", cells=12))
    with stores.folder_store(tmp_path) as place:
        marker = stores.race(place)
        came = stores.meet(tmp_path, place, one)
    assert marker.atomic
    assert stores.sound(came, marker, one), f"{came}\n{came.said}"
