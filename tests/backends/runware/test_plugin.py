"""The record keeps every promise of the conformance kits."""

from __future__ import annotations

import pytest

from relightflow.backends.runware.emulator import RunwareEmulator
from relightflow.backends.runware.hosts import OVERRIDE, RunwareHosts
from relightflow.backends.runware.plugin import RECORD
from tests.backends import promises

KEY = "a-key-for-runware"


async def test_keeps_what_a_backend_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    await promises.named_kept(RECORD, RunwareEmulator(KEY), OVERRIDE, monkeypatch)


async def test_loses_nothing_on_a_network_that_goes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    await promises.named_on_a_bad_network(
        RECORD,
        RunwareEmulator(KEY),
        OVERRIDE,
        lambda request: b'"imageInference"' in request,
        monkeypatch,
    )


def test_comes_in_through_the_same_door_as_anybody() -> None:
    promises.comes_in_through_the_same_door(RECORD)


def test_the_record_names_the_hosts_that_are_spoken_to() -> None:
    promises.names_its_hosts(RECORD, RunwareHosts())
