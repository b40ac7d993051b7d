"""The record keeps every promise of the conformance kit, over both protocols."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from relightflow.backends.segmind.hosts import OVERRIDE, SegmindHosts
from relightflow.backends.segmind.plugin import RECORD
from relightflow.network.addresses import host_matches
from relightflow.plugins.registry import load
from relightflow.testing.backend import check_backend
from tests.backends.segmind.conftest import KEY, Emulate


@pytest.mark.parametrize("api", ["v1", "v2", "auto"])
@pytest.mark.parametrize("delivery", ["upload", "inline"])
async def test_keeps_what_a_backend_promises(
    emulate: Emulate, monkeypatch: pytest.MonkeyPatch, api: str, delivery: str
) -> None:
    emulator = await emulate()
    monkeypatch.setenv(OVERRIDE, emulator.url)
    monkeypatch.setenv("SEGMIND_API_KEY", KEY)
    options: dict[str, Any] = {"api": api, "delivery": delivery}
    await check_backend(RECORD, options, cells=2)


@pytest.mark.parametrize("model", ["segmind-relighting-v2", "ic-light"])
async def test_so_does_every_other_row_of_the_table(
    emulate: Emulate, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    emulator = await emulate()
    monkeypatch.setenv(OVERRIDE, emulator.url)
    monkeypatch.setenv("SEGMIND_API_KEY", KEY)
    await check_backend(RECORD, {"delivery": "inline"}, model=model, cells=1)


def test_comes_in_through_the_same_door_as_anybody() -> None:
    assert load(found=tuple).backend("segmind") is RECORD


def test_the_record_names_the_hosts_that_are_spoken_to() -> None:
    every = SegmindHosts()
    apis = [urlsplit(base).hostname or "" for base in (every.api, every.assets, every.history)]
    assert all(host_matches(host, RECORD.hosts) for host in apis)
    assert RECORD.hosts == every.outputs
