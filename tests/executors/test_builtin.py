from __future__ import annotations

from relightflow.plugins.registry import load


def test_the_pool_needs_no_address_and_the_cluster_does() -> None:
    found = {
        name: one.record.needs_address for name, one in load(found=lambda: ()).executors.items()
    }
    assert found == {"local": False, "dask": True}
