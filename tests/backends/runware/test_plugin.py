"""The record keeps every promise of the conformance kits."""

from __future__ import annotations

import pytest

from relightflow.backends.runware.emulator import RunwareEmulator
from relightflow.backends.runware.hosts import OVERRIDE, RunwareHosts
from relightflow.backends.runware.plugin import RECORD
from relightflow.network import certificates
from relightflow.network.addresses import host_matches
from relightflow.plugins.registry import load
from relightflow.testing import check_backend, check_http_faults

KEY = "a-key-for-runware"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RUNWARE_API_KEY", KEY)
    # nothing here is encrypted, and reading the machine's certificates takes longest of all
    monkeypatch.setattr(certificates, "context", lambda _: None)
    return KEY


async def test_keeps_what_a_backend_promises(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with RunwareEmulator(key).running() as emulator:
        monkeypatch.setenv(OVERRIDE, emulator.url)
        await check_backend(RECORD, cells=2)
        assert len(emulator.bill) == 3


async def test_loses_nothing_on_a_network_that_goes_wrong(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with RunwareEmulator(key).running() as emulator:

        def point_at(url: str) -> None:
            monkeypatch.setenv(OVERRIDE, url)
            if not url.endswith(":9"):
                emulator.url = url  # results go through the proxy too

        await check_http_faults(
            RECORD,
            emulator.url,
            point_at,
            lambda: len(emulator.bill),
            is_submit=lambda request: b'"imageInference"' in request,
        )


def test_comes_in_through_the_same_door_as_anybody() -> None:
    assert load(found=tuple).backend("runware") is RECORD


def test_the_record_names_the_hosts_that_are_spoken_to() -> None:
    where = RunwareHosts()
    names = [where.api.removeprefix("https://"), *where.outputs]
    assert all(host_matches(name, RECORD.hosts) for name in names)
