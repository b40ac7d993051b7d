"""Whether a file with one of our fixed names was written by us.

The ledger knows what it wrote. Where it is new or lost, the file says so itself: every file of a fixed
name bears something that no other program writes. What does neither is somebody's own, and is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial

ENDS = 1 << 16
"""Bytes at either end of a file by which it is judged."""
Mark = Callable[[bytes, bytes], bool]
"""Judges a file by its first and last bytes."""

_SHARD = re.compile(rb"[0-9a-f]{16}(-\d+)?\.output\.")
_ZIPPED_1980 = b"\x00\x00\x21\x00"
"""Time and date of 1980-01-01, as our archives have it."""


def _first_line(keys: tuple[str, ...], head: bytes, _: bytes) -> bool:
    line, end, _rest = head.partition(b"\n")
    if not end and len(head) >= ENDS:
        return all(f'"{key}":'.encode() in head for key in keys)
    try:
        facts = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(facts, dict) and all(key in facts for key in keys)


is_manifest: Mark = partial(_first_line, ("record", "format"))
is_metadata: Mark = partial(_first_line, ("file_name", "caption", "job", "index"))


def is_card(head: bytes, tail: bytes) -> bool:
    del tail
    return head.startswith(b"---\nconfigs:\n") and b"\nMade by relightflow. " in head


def is_table(head: bytes, tail: bytes) -> bool:
    del tail
    return head.startswith(b"index,status,path,source,")


def is_archive(head: bytes, tail: bytes) -> bool:
    """A zip file whose last entry is the manifest, dated as we date it."""
    at = tail.rfind(b"PK\x01\x02")
    entry = tail[at : at + 46 + len(b"manifest.jsonl")]
    return head.startswith(b"PK\x03\x04") and (
        entry[12:16] == _ZIPPED_1980 and entry[46:] == b"manifest.jsonl"
    )


def is_shard(head: bytes, tail: bytes) -> bool:
    del tail
    return head[257:262] == b"ustar" and _SHARD.match(head) is not None


def is_sheet(head: bytes, tail: bytes) -> bool:
    del tail
    return b"relightflow sheet " in head[:200]


def never(head: bytes, tail: bytes) -> bool:
    """For names that hold a hash: a file with other bytes is not ours."""
    del head, tail
    return False
