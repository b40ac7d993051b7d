from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.errors import Exit, StorageError, UsageError
from relightflow.plugins.records import OperatorPolicy
from relightflow.store import marker
from tests.conftest import Stage, make_store


def test_a_store_where_claims_do_not_hold_is_told_before_anything_is_bought(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = machines
    with monkeypatch.context() as patch:
        patch.setattr(marker, "_race", lambda _, pairs: pairs)
        make_store(one.operator.store)
    assert one.run_in_no_time(monkeypatch).exit is Exit.OK
    assert "let both writers create one object in 3 of 6 races" in one.notices[0]
    assert "--shard" in one.notices[0]


@pytest.mark.parametrize("writes", [True, False])
def test_a_store_that_only_may_be_asked_claims_nothing_and_says_so(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch, writes: bool
) -> None:
    one, _ = machines
    one.operator = replace(one.operator, store_writes=writes)
    assert one.run_in_no_time(monkeypatch).exit is Exit.OK
    assert ["--store-mode r" in notice for notice in one.notices] == [True] * (not writes)


@pytest.mark.parametrize(
    ("url", "error"), [("file:///not/there", StorageError), ("https://x/", UsageError)]
)
def test_a_place_that_is_no_store_ends_the_run_before_anything(
    stage: Stage, url: str, error: type[Exception]
) -> None:
    stage.operator = OperatorPolicy(store=url)
    with pytest.raises(error):
        stage.run()
    assert stage.provider.submits == []


def test_a_share_that_is_unmounted_during_the_run_stops_it(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is left is an empty folder, in which everything could be claimed and bought once more."""
    one, two = machines
    one.recipe(shades=[0, 1, 2, 3, 4], concurrency=1)
    folder, away = tmp_path / "store", tmp_path / "away"

    def unmount(_: object, number: int) -> None:
        if number == 1:
            folder.rename(away)
            folder.mkdir()

    one.provider.on_submit = unmount
    assert one.run_in_no_time(monkeypatch).exit is Exit.STORAGE
    assert len(one.provider.bill) == 2
    shutil.rmtree(folder)  # what was being published may have got there
    away.rename(folder)
    two.recipe(shades=[0, 1, 2, 3, 4])
    assert one.run_in_no_time(monkeypatch).exit is Exit.OK
    assert two.run_in_no_time(monkeypatch).exit is Exit.OK
    assert len(one.provider.bill) == 5
    assert two.provider.bill == []
