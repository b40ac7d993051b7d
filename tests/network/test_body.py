from __future__ import annotations

import zlib

from relightflow.network import body


def test_a_bomb_is_unpacked_to_one_byte_over_its_cap_and_no_further() -> None:
    bomb = zlib.compress(bytes(20 << 20))
    assert len(body._unpacked(zlib.decompressobj(), bomb, 1000)) == 1001
