"""The record keeps every promise of the conformance kits."""

from __future__ import annotations

import os

import pytest

from relightflow.backends.fal.hosts import OVERRIDE
from relightflow.backends.fal.plugin import RECORD
from relightflow.plugins.registry import load
from relightflow.testing.backend import check_backend
from relightflow.testing.http_faults import check_http_faults
from tests.backends.fal.conftest import KEY, EmulateFal

pytestmark = pytest.mark.usefixtures("quick_polls")


@pytest.mark.parametrize(
    ("model", "delivery"),
    [
        ("bria/fibo-edit/relight", "upload"),
        ("fal-ai/image-apps-v2/relighting", "inline"),
        ("fal-ai/iclight-v2", "inline"),
    ],
)
async def test_keeps_what_a_backend_promises(
    emulate: EmulateFal, monkeypatch: pytest.MonkeyPatch, model: str, delivery: str
) -> None:
    emulator = await emulate()
    monkeypatch.setenv(OVERRIDE, emulator.url)
    monkeypatch.setenv("FAL_KEY", KEY)
    await check_backend(RECORD, {"delivery": delivery}, model=model, cells=2)


async def test_a_network_that_goes_wrong_costs_nothing_twice(
    emulate: EmulateFal, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = await emulate()
    monkeypatch.setenv("FAL_KEY", KEY)

    def point_at(url: str) -> None:
        os.environ[OVERRIDE] = url

    monkeypatch.setenv(OVERRIDE, emulator.url)
    await check_http_faults(
        RECORD, emulator.url, point_at, lambda: emulator.bill()["totals"]["billed"],
        {"delivery": "inline"},
    )  # fmt: skip


def test_comes_in_through_the_same_door_as_anybody() -> None:
    assert load(found=tuple).backend("fal") is RECORD
