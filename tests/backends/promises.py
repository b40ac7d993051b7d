"""What the record of every paid backend promises: `test_plugin` of each brings its record and its emulator."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relightflow.backends.emulator.plain import Emulator
from relightflow.backends.emulator.server import Running
from relightflow.backends.http.hosts import ProviderHosts
from relightflow.network import certificates
from relightflow.network.addresses import host_matches
from relightflow.plugins.records import BackendRecord
from relightflow.plugins.registry import load
from relightflow.testing import check_backend, check_http_faults


async def named_kept(
    record: BackendRecord, emulator: Emulator, override: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend whose calls bear our name keeps the kit's promises, and bills what it made."""
    with_key(record, emulator.key, monkeypatch)
    async with emulator.running():
        monkeypatch.setenv(override, emulator.url)
        await check_backend(record, cells=2)
        assert len(emulator.bill) == 3


async def named_on_a_bad_network(
    record: BackendRecord,
    emulator: Emulator,
    override: str,
    is_submit: Callable[[bytes], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same where the network goes wrong."""
    with_key(record, emulator.key, monkeypatch)
    async with emulator.running():

        def point_at(url: str) -> None:
            monkeypatch.setenv(override, url)
            if not url.endswith(":9"):
                emulator.url = url  # results go through the proxy too

        await check_http_faults(
            record, emulator.url, point_at, lambda: len(emulator.bill), is_submit=is_submit
        )


async def queued_on_a_bad_network(
    record: BackendRecord, emulator: Running, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend that queues calls costs nothing twice where the network goes wrong."""
    with_key(record, key, monkeypatch)
    override = f"RELIGHTFLOW_{record.name.upper()}_URL"
    await check_http_faults(
        record,
        emulator.url,
        lambda url: monkeypatch.setenv(override, url),
        lambda: emulator.bill()["totals"]["billed"],
        {"delivery": "inline"},
    )


def with_key(record: BackendRecord, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(record.key_variable, key)
    # nothing here is encrypted, and reading the machine's certificates takes longest of all
    monkeypatch.setattr(certificates, "context", lambda _: None)


def comes_in_through_the_same_door(record: BackendRecord) -> None:
    assert load(found=tuple).backend(record.name) is record


def names_its_hosts(record: BackendRecord, hosts: ProviderHosts) -> None:
    """All that the key and the results come past."""
    for host in (hosts.api.removeprefix("https://"), *hosts.outputs):
        assert host in record.hosts or host_matches(host, record.hosts), host
