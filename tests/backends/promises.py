"""What the record of every paid backend promises: `test_plugin` of each derives a class of tests from these."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from relightflow.backends.emulator.plain import Emulator
from relightflow.backends.http.backend import HttpBackend
from relightflow.network import certificates
from relightflow.network.addresses import host_matches
from relightflow.plugins.records import BackendRecord
from relightflow.plugins.registry import load
from relightflow.testing import check_backend, check_http_faults
from tests.backends.queued import Emulate


class PaidRecord:
    record: ClassVar[BackendRecord]
    adapter: ClassVar[type[HttpBackend[Any]]]

    def test_is_loaded_as_any_other_plugin(self) -> None:
        assert load(found=tuple).backend(self.record.name) is self.record

    def test_names_the_hosts_that_are_spoken_to(self) -> None:
        """All that the key and the results come past."""
        hosts = self.adapter._usual
        spoken_to = [
            urlsplit(getattr(hosts, base)).hostname or "" for base in ("api", *hosts.bases)
        ]
        for host in (*spoken_to, *hosts.outputs):
            assert host in self.record.hosts or host_matches(host, self.record.hosts), host

    def moved(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(self.adapter._usual.variable, url)

    def with_key(self, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(self.record.key_variable, key)
        # nothing here is encrypted, and reading the machine's certificates takes longest of all
        monkeypatch.setattr(certificates, "context", lambda _: None)


class NamedRecord(PaidRecord):
    """Of a provider that takes our name for a call."""

    emulator: ClassVar[type[Emulator]]
    submits: ClassVar[bytes]
    """What every billable request contains, and no other."""

    async def test_keeps_what_a_backend_promises(self, monkeypatch: pytest.MonkeyPatch) -> None:
        emulator = self.emulator("a-key")
        self.with_key(emulator.key, monkeypatch)
        async with emulator.running():
            self.moved(emulator.url, monkeypatch)
            await check_backend(self.record, cells=2)
            assert len(emulator.bill) == 3

    async def test_loses_nothing_on_a_network_that_goes_wrong(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        emulator = self.emulator("a-key")
        self.with_key(emulator.key, monkeypatch)
        async with emulator.running():

            def point_at(url: str) -> None:
                self.moved(url, monkeypatch)
                if not url.endswith(":9"):
                    emulator.url = url  # results go through the proxy too

            await check_http_faults(
                self.record,
                emulator.url,
                point_at,
                lambda: len(emulator.bill),
                is_submit=lambda request: self.submits in request,
            )


@pytest.mark.usefixtures("quick_polls")
class QueuedRecord(PaidRecord):
    """Of a provider that queues calls."""

    key: ClassVar[str]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "model" in metafunc.fixturenames:
            metafunc.parametrize("model", [model.name for model in self.record.models])

    async def test_keeps_what_a_backend_promises(
        self, emulate: Emulate, monkeypatch: pytest.MonkeyPatch, model: str
    ) -> None:
        self.moved((await emulate()).url, monkeypatch)
        self.with_key(self.key, monkeypatch)
        options = {"delivery": "upload" if model == self.record.models[0].name else "inline"}
        await check_backend(self.record, options, model=model, cells=2)

    async def test_a_network_that_goes_wrong_costs_nothing_twice(
        self, emulate: Emulate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        emulator = await emulate()
        self.with_key(self.key, monkeypatch)
        await check_http_faults(
            self.record,
            emulator.url,
            lambda url: self.moved(url, monkeypatch),
            lambda: emulator.bill()["totals"]["billed"],
            {"delivery": "inline"},
        )
