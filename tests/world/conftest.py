"""A world for each test, and the list of what is not true yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.harness import World
from tests.world.provider import Provider

KNOWN = Path(__file__).with_name("known_failures.txt")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    provider = Provider()
    provider.start()
    yield World(tmp_path / "project", provider)
    provider.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that stand in known_failures.txt must fail; whoever mends one takes its line away."""
    known = _known()
    here = Path(__file__).parent
    for item in items:
        if not item.path.is_relative_to(here):
            continue
        name = f"{item.path.name}::{item.name}"
        if name in known:
            item.add_marker(pytest.mark.xfail(reason=known[name], strict=True))


def _known() -> dict[str, str]:
    """Reason by test, from lines of `file::test[parameters]  # section`."""
    if not KNOWN.exists():
        return {}
    lines = (line for line in KNOWN.read_text().splitlines() if line and line[0] != "#")
    parts = (line.partition("  # ") for line in lines)
    return {name.strip(): reason for name, _, reason in parts}
