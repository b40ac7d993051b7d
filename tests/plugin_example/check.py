"""Run this where the plugin is installed: relightflow finds it, and the kits pass on it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from relightflow.plugins.registry import load
from relightflow.testing import check_backend, check_sink


def main() -> None:
    registry = load()
    assert not registry.warnings, registry.warnings
    assert registry.backends["mirror"].plugin == "relightflow-mirror"
    assert registry.sinks["zip-file"].plugin == "relightflow-mirror"
    asyncio.run(check_backend(registry.backend("mirror")))
    with tempfile.TemporaryDirectory() as folder:
        check_sink(registry.sink("zip-file"), Path(folder), {"file": "out/images.zip"})
    print(f"loaded and sound: {', '.join(registry.plugins)}")


if __name__ == "__main__":
    main()
