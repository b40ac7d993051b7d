from __future__ import annotations

import pytest

from relightflow.backends.emulator.plain import Emulator
from relightflow.backends.emulator.protocols import PROTOCOLS


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_stands_where_the_table_says(name: str) -> None:
    protocol = PROTOCOLS[name]
    found = protocol.load()
    assert issubclass(found, Emulator) if protocol.plain else callable(found)
