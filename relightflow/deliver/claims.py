"""What the manifests that sinks already hold say was done: in a clone of a repository, in a bucket.

A manifest may be a stranger's, so it is read strictly and within bounds, and nothing of it is believed
that bytes with the right hash do not show. It can only hold a purchase back, never cause one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from relightflow.deliver.target import FAULTS, SinkTarget
from relightflow.model.money import Micros, micros, valid_cost
from relightflow.plugins.sink import HasFiles

MANIFEST = "manifest.jsonl"
_MOST_MANIFEST = 256 << 20
_MOST_IMAGE = 64 << 20
_MOST_LINE = 1 << 20
_FORMAT = 1
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a manifest calls done."""

    key: str
    sha256: str
    """Of the result, as it says."""
    path: str
    """Relative to the sink; empty where it names no file of the very result."""
    cost: Micros | None
    """In micro-dollars; None where it does not say so soundly."""
    request_id: str
    target: SinkTarget

    def read(self) -> bytes | None:
        """The file's bytes; None where the sink has none. Raises what the sink raises."""
        sink = self.target.sink
        return (
            sink.read(self.path, _MOST_IMAGE) if self.path and isinstance(sink, HasFiles) else None
        )


def claims_of(targets: Sequence[SinkTarget], keys: Collection[str]) -> dict[str, Claim]:
    """What the manifests in `targets` say of the jobs with `keys`; one that can be read back is
    preferred. Blocks. A sink that cannot be read says nothing."""
    found: dict[str, Claim] = {}
    for target in targets:
        for claim in _claims(target):
            if claim.key in keys and (claim.key not in found or not found[claim.key].path):
                found[claim.key] = claim
    return found


def _claims(target: SinkTarget) -> Iterator[Claim]:
    if not isinstance(target.sink, HasFiles):
        return
    try:
        data = target.sink.read(MANIFEST, _MOST_MANIFEST)
    except FAULTS:
        return
    lines = (data or b"").split(b"\n")
    if (_record(lines[0]) or {}).get("format") != _FORMAT:
        return
    for line in lines[1:]:
        record = _record(line)
        if record and record.get("record") == "output" and record.get("status") == "done":
            claim = _claim(record, target)
            if claim:
                yield claim


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line) if len(line) <= _MOST_LINE else None
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _claim(record: dict[str, Any], target: SinkTarget) -> Claim | None:
    key, sha256 = record.get("key"), record.get("sha256")
    if not (_is_digest(key) and _is_digest(sha256)):
        return None
    path, request_id = record.get("path"), record.get("request_id")
    own = isinstance(path, str) and "delivered" not in record and path.isprintable()
    return Claim(
        key=str(key),
        sha256=str(sha256),
        path=str(path) if own else "",
        cost=_cost(record.get("cost")),
        request_id=request_id if isinstance(request_id, str) and len(request_id) < 200 else "",
        target=target,
    )


def _cost(value: object) -> Micros | None:
    if type(value) not in (int, float) or not 0 <= value < 1e6:  # type: ignore[operator]  # a number
        return None
    return valid_cost(micros(str(value)))


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and _HEX.issuperset(value)
