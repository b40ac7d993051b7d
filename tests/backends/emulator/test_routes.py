"""What every protocol serves beside its own API."""

from __future__ import annotations

from typing import Any

import pytest

from relightflow.backends.emulator.protocols import PROTOCOLS


@pytest.mark.parametrize("protocol", [name for name, p in PROTOCOLS.items() if not p.plain])
async def test_the_bill_and_the_log_are_served_under_every_protocol(
    protocol: str, connect: Any
) -> None:
    client = await connect(protocol=protocol)
    assert (await client.get("/__bill")).json["totals"]["requests"] == 0
    assert (await client.get("/outputs/nothing")).status == 404
    assert (await client.get("/assets/nothing")).status == 404
    phases = (await client.get("/__requests")).json["phases"]
    assert phases == {"download": 1, "asset": 1}
    assert (await client.ask("POST", "/outputs/nothing")).status == 405
