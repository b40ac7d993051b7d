"""The record keeps every promise of the conformance kits."""

from __future__ import annotations

import os

import pytest

from relightflow.backends.replicate.hosts import OVERRIDE, ReplicateHosts
from relightflow.backends.replicate.plugin import RECORD
from relightflow.network.addresses import host_matches
from relightflow.plugins.registry import load
from relightflow.testing.backend import check_backend
from relightflow.testing.http_faults import check_http_faults
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
    monkeypatch.setenv("REPLICATE_API_TOKEN", KEY)
    await check_backend(RECORD, {"delivery": delivery}, model=model, cells=2)


async def test_a_network_that_goes_wrong_costs_nothing_twice(
    emulate: EmulateReplicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = await emulate()
    monkeypatch.setenv("REPLICATE_API_TOKEN", KEY)

    def point_at(url: str) -> None:
        os.environ[OVERRIDE] = url

    monkeypatch.setenv(OVERRIDE, emulator.url)
    await check_http_faults(
        RECORD, emulator.url, point_at, lambda: emulator.bill()["totals"]["billed"],
        {"delivery": "inline"},
    )  # fmt: skip


def test_comes_in_through_the_same_door_as_anybody() -> None:
    assert load(found=tuple).backend("replicate") is RECORD


def test_the_record_names_the_hosts_that_are_spoken_to() -> None:
    where = ReplicateHosts()
    assert host_matches(where.api.removeprefix("https://"), RECORD.hosts)
    assert {*where.outputs} <= {*RECORD.hosts}
