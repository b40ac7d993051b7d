"""An image whose header is sound and whose pixels are not costs nothing."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from tests.cli.commands.conftest import Rehearsal, Write
from tests.cli.program import Relightflow


def test_an_image_that_is_cut_short_within_is_never_sent(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal, tmp_path: Path
) -> None:
    write(backend="segmind", more="limits: {max_cost: 1.00}\n")
    whole = (tmp_path / "shoe.png").read_bytes()
    begin = whole.index(b"IDAT")
    (length,) = struct.unpack_from(">I", whole, begin - 4)
    rows = zlib.decompress(whole[begin + 4 : begin + 4 + length])
    chunk = b"IDAT" + zlib.compress(rows[: len(rows) // 2])
    (tmp_path / "shoe.png").write_bytes(
        whole[: begin - 4]
        + struct.pack(">I", len(chunk) - 4)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + whole[begin + 8 + length :]
    )
    done = relightflow("run", "spring.yaml", env=rehearsal.env)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "shoe.png: the PNG is truncated" in done.stdout
    assert "not sent, not billed" in done.stdout
    assert rehearsal.bill() == []
