"""What `make quick` leaves out: the tests that start a server, and those that take longest.

They are marked `slow` here, by folder, file or fixture, so that no test file has to say it. With
`-m 'not slow'` a test that opens a port all the same fails, and names this file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SLOW = frozenset(
    [
        "backends/history",
        "backends/http",
        "backends/segmind",
        "ci",
        "cli/commands",
        "deliver/test_object_stores.py",
        "docs",
        "network",
        "objects",
        "reliability",
        "servers",
        "sources/urls",
        "ledger/test_lock.py",
        "plugins/test_example.py",
        "recipe/test_bombs.py",
        "sources/test_walk.py",
        "testing/test_own_adapters.py",
        "core/test_failpoints.py",
        "world",
        "test_packaging.py",
        "test_rehearse.py",
        "test_tutorial.py",
    ]
)
"""Folders and files in tests/."""
FIXTURES = frozenset({"program", "swift", "s3", "azure", "azure_server", "chromium"})
_running = ""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: starts a server, or takes long; not in make quick")
    if config.option.markexpr == "not slow":
        sys.addaudithook(_audit)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        path = item.path.relative_to(TESTS)
        places = {path.as_posix(), *(above.as_posix() for above in path.parents)}
        if places & SLOW or FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    global _running
    _running = item.nodeid
    try:
        return (yield)
    finally:
        _running = ""


def _audit(event: str, _arguments: tuple[object, ...]) -> None:
    if _running and event == "socket.bind":
        pytest.fail(f"{_running} opens a port: name its file in SLOW of tests/quick.py")
