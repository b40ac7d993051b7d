"""What `make quick` and `make test` leave out: tests that start servers, and those that take longest.

`slow` tests start a server or a browser, or take seconds: they are in `make test`, not in `make quick`.
`long` tests play whole projects, or take many seconds: they are in `make long` alone, and CI runs both.
They are marked here, by folder, file or fixture, so that no test file has to say it. With
`-m 'not slow'` a test that opens a port all the same fails, and names this file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LONG = frozenset(
    [
        "backends/http/test_named_backend.py",
        "ci",
        "cli/commands/test_rehearsals.py",
        "cli/commands/test_run_behind_a_proxy.py",
        "cli/commands/test_run_from_the_web.py",
        "cli/test_hostile_folder.py",
        "cli/test_streams.py",
        "core/test_failpoints.py",
        "deliver/test_object_stores.py",
        "docs/test_sessions.py",
        "executors/test_dask.py",
        "maintenance/test_merge.py",
        "objects/test_servers.py",
        "plugins/test_scaffold.py",
        "recipe/test_bombs.py",
        "reliability",
        "reliability/test_stores.py",
        "run/test_restoring.py",
        "sinks/test_readers.py",
        "test_packaging.py",
        "test_rehearse.py",
        "test_tutorial.py",
        "world",
    ]
)
"""Folders and files in tests/."""
SLOW = frozenset(
    [
        "backends/comfy",
        "backends/comfyui",
        "backends/emulator",
        "backends/fal",
        "backends/history",
        "backends/http",
        "backends/preview/test_shading.py",
        "backends/replicate",
        "backends/runware",
        "backends/segmind",
        "cli/commands",
        "cli/test_against.py",
        "cli/test_mixed_photographs.py",
        "cli/test_projects.py",
        "cli/test_shared_places.py",
        "docs",
        "gallery/page",
        "ledger/test_lock.py",
        "maintenance/test_prune.py",
        "maintenance/test_shard_states.py",
        "network",
        "objects",
        "plugins/test_example.py",
        "report/test_comment.py",
        "run/limits/test_rate_policy.py",
        "run/shared",
        "run/test_sharding.py",
        "servers",
        "sources/test_walk.py",
        "sources/urls",
        "test_api.py",
        "test_macos.py",
        "test_marks.py",
        "testing/test_http_faults.py",
        "testing/test_own_adapters.py",
    ]
)
"""The same; what is long is slow too."""
FIXTURES = frozenset({"program"})
"""Of slow tests."""
SERVERS = frozenset({"swift", "s3", "azure", "azure_server", "chromium"})
"""Of long tests: servers and a browser that are installed for them."""
_running = ""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: starts a server, or takes seconds; not in make quick")
    config.addinivalue_line("markers", "long: plays whole projects; in make long, not in make test")
    if config.option.markexpr == "not slow":
        sys.addaudithook(_audit)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What is left out as a whole need not even be imported."""
    left_out = {"not slow": LONG | SLOW, "not long": LONG}.get(config.option.markexpr, frozenset())
    inside = collection_path.is_relative_to(TESTS)
    return True if inside and _places(collection_path) & left_out else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        places = _places(item.path)
        fixtures = set(getattr(item, "fixturenames", ()))
        long = bool(places & LONG or fixtures & SERVERS)
        if long:
            item.add_marker(pytest.mark.long)
        if long or places & SLOW or fixtures & FIXTURES:
            item.add_marker(pytest.mark.slow)


def _places(path: Path) -> set[str]:
    """The path below tests/, and every folder above it there."""
    below = path.relative_to(TESTS)
    return {below.as_posix(), *(above.as_posix() for above in below.parents)}


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
        pytest.fail(f"{_running} opens a port: name its file in SLOW of tests/marks.py")
