from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import Exit
from relightflow.objects.bucket import Bucket
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.marker import MARKER
from tests.conftest import Stage

SHADES = [0, 1, 2]


def _refusing(under: str) -> Callable[..., str]:
    """A `Bucket.put` that fails for all that is `under` a folder."""
    real = Bucket.put

    def put(self: Bucket, path: str, *args: Any, **more: Any) -> str:
        if path.startswith(under):
            raise ObjectFault(Reason.PASSING, path, "out of reach")
        return real(self, path, *args, **more)

    return put


def test_a_store_that_only_may_be_asked_is_told_nothing(
    machines: list[Stage], tmp_path: Path
) -> None:
    one, two = machines
    two.operator = replace(two.operator, store_writes=False)
    two.run()
    assert [path.name for path in (tmp_path / "store").rglob("*.*")] == [MARKER]
    assert any("jobs are not claimed" in notice for notice in two.notices)
    one.run()
    two.recipe(shades=[*SHADES, 3])
    two.run()
    assert len(list((tmp_path / "store/jobs").rglob("*.json"))) == 3


def test_a_store_that_cannot_be_told_loses_nothing_and_is_told_by_the_next_run(
    machines: list[Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "put", _refusing("blobs/"))
        assert one.run().exit is Exit.OK
    assert len(one.images()) == 3
    assert any("the next run writes it again" in notice for notice in one.notices)
    assert one.run().counts.reused == 3
    assert len(one.provider.bill) == 3
    two.run()
    assert two.provider.submits == []


def test_what_cannot_be_claimed_is_not_bought(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = machines
    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "put", _refusing("inflight/"))
        summary = one.run()
    assert summary.exit is Exit.EARLY
    assert one.provider.submits == []
    assert any("--store-mode off" in issue.message for issue in summary.issues)
    assert one.run().exit is Exit.OK


def test_a_store_is_told_once(machines: list[Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = machines
    one.run()

    monkeypatch.setattr(Bucket, "put", _refusing(""))
    assert one.run().exit is Exit.OK
    assert not one.notices
