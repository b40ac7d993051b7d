"""The record keeps every promise of the conformance kit, over both protocols."""

from __future__ import annotations

from typing import Any

import pytest

from relightflow.backends.segmind.adapter import Segmind
from relightflow.backends.segmind.plugin import RECORD
from relightflow.testing.backend import check_backend
from tests.backends import promises
from tests.backends.queued import Emulate
from tests.backends.segmind.conftest import KEY


@pytest.mark.parametrize("api", ["v1", "v2", "auto"])
@pytest.mark.parametrize("delivery", ["upload", "inline"])
async def test_keeps_what_a_backend_promises(
    emulate: Emulate, monkeypatch: pytest.MonkeyPatch, api: str, delivery: str
) -> None:
    emulator = await emulate()
    monkeypatch.setenv(Segmind._usual.variable, emulator.url)
    monkeypatch.setenv("SEGMIND_API_KEY", KEY)
    options: dict[str, Any] = {"api": api, "delivery": delivery}
    await check_backend(RECORD, options, cells=2)


@pytest.mark.parametrize("model", ["segmind-relighting-v2", "ic-light"])
async def test_so_does_every_other_row_of_the_table(
    emulate: Emulate, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    emulator = await emulate()
    monkeypatch.setenv(Segmind._usual.variable, emulator.url)
    monkeypatch.setenv("SEGMIND_API_KEY", KEY)
    await check_backend(RECORD, {"delivery": "inline"}, model=model, cells=1)


class TestRecord(promises.PaidRecord):
    record, adapter = RECORD, Segmind
