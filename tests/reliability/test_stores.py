"""Two machines and one store: the short form of `python -m benchmarks.reliability stores`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.reliability import stores
from benchmarks.reliability.rehearsal import Work
from relightflow.store.marker import StoreMarker


def test_machines_that_start_at_once_buy_each_job_once(tmp_path: Path) -> None:
    one = stores.Try("started at once", Work("v2", cells=12))
    with stores.folder_store(tmp_path) as place:
        marker = stores.race(place)
        came = stores.meet(tmp_path, place, one)
    assert marker.atomic
    assert stores.sound(came, marker, one), f"{came}\n{came.said}"


def test_the_later_purchase_after_a_kill_is_no_purchase_above_a_cap() -> None:
    """It vouches for the provider's records, and is one job more than the recipe had."""
    one = stores.Try("one killed", Work("v2", cells=40), crash="after-submit:10")
    marker = StoreMarker("id", True, 300, 0)
    came = stores.Shared(41, billed=41, exits=(-9, 5, 0), delivered=(41,))
    assert stores.sound(came, marker, one)
    assert not stores.sound(stores.Shared(41, billed=42, exits=(-9, 5, 0)), marker, one)
    capped = stores.Try("three at once", stores.CAPPED, machines=3)
    assert stores.sound(stores.Shared(80, billed=20, exits=(7, 7, 7)), marker, capped)
    assert not stores.sound(stores.Shared(80, billed=21, exits=(7, 7, 7)), marker, capped)
