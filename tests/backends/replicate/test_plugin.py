"""The record keeps every promise of the conformance kits."""

from __future__ import annotations

import pytest

from relightflow.backends.replicate.hosts import OVERRIDE, ReplicateHosts
from relightflow.backends.replicate.plugin import RECORD
from relightflow.testing.backend import check_backend
from tests.backends import promises
from tests.backends.replicate.conftest import KEY, EmulateReplicate

pytestmark = pytest.mark.usefixtures("quick_polls")


@pytest.mark.parametrize(
    ("model", "delivery"),
    [
        ("zsxkib/ic-light", "upload"),
        ("qwen-edit-apps/qwen-image-edit-plus-lora-relight", "inline"),
    ],
)
async def test_keeps_what_a_backend_promises(
    emulate: EmulateReplicate, monkeypatch: pytest.MonkeyPatch, model: str, delivery: str
) -> None:
    emulator = await emulate()
    monkeypatch.setenv(OVERRIDE, emulator.url)
    promises.with_key(RECORD, KEY, monkeypatch)
    await check_backend(RECORD, {"delivery": delivery}, model=model, cells=2)


async def test_a_network_that_goes_wrong_costs_nothing_twice(
    emulate: EmulateReplicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    await promises.queued_on_a_bad_network(RECORD, await emulate(), KEY, monkeypatch)


def test_comes_in_through_the_same_door_as_anybody() -> None:
    promises.comes_in_through_the_same_door(RECORD)


def test_the_record_names_the_hosts_that_are_spoken_to() -> None:
    promises.names_its_hosts(RECORD, ReplicateHosts())
