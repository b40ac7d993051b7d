"""The record keeps every promise of the conformance kits."""

from __future__ import annotations

import os

import pytest

from relightflow.backends.comfyui.plugin import RECORD
from relightflow.backends.comfyui.server import URL
from relightflow.plugins.registry import load
from relightflow.testing.backend import check_backend
from relightflow.testing.http_faults import check_http_faults
from tests.backends.queued import Emulate

pytestmark = pytest.mark.usefixtures("quick_polls")


async def test_keeps_what_a_backend_promises(
    emulate: Emulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL, (await emulate()).url)
    await check_backend(RECORD, cells=2)


async def test_a_network_that_goes_wrong_makes_nothing_twice(
    emulate: Emulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = await emulate()
    monkeypatch.setenv(URL, emulator.url)

    def point_at(url: str) -> None:
        os.environ[URL] = url

    await check_http_faults(
        RECORD, emulator.url, point_at, lambda: emulator.bill()["totals"]["billed"],
        is_submit=lambda request: request.startswith(b"POST /prompt"),
    )  # fmt: skip


def test_is_loaded_as_any_other_plugin() -> None:
    assert load(found=tuple).backend("comfyui").name == RECORD.name
