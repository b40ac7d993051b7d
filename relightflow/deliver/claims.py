"""What the records that sinks already hold say was done: in a clone of a repository, in a bucket.

A record may be a stranger's, so it is read strictly and within bounds, and nothing of it is believed
that bytes with the right hash do not show. It can only hold a purchase back, never cause one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relightflow.deliver.target import FAULTS, SinkTarget
from relightflow.images.metadata import without
from relightflow.model.money import Micros, micros, valid_cost
from relightflow.plugins.sink import (
    MANIFEST,
    MOST_MANIFEST,
    HasFiles,
    HasRecords,
    manifest_records,
)

_MOST_IMAGE = 64 << 20
_ID = 16
"""Hex digits of a job's id, the beginning of its key."""
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a manifest calls done."""

    key: str
    sha256: str
    """Of the result, as it says; empty where it does not."""
    path: str
    """Relative to the sink; empty where it names no file of the very result."""
    cost: Micros | None
    """In micro-dollars; None where it does not say so soundly."""
    request_id: str
    target: SinkTarget

    def read(self) -> bytes | None:
        """The result's bytes, without metadata that was added on delivery; None where the sink has none.
        Raises what the sink raises."""
        sink = self.target.sink
        if not self.path or not isinstance(sink, HasFiles):
            return None
        data = sink.read(self.path, _MOST_IMAGE)
        if data is None or hashlib.sha256(data).hexdigest() == self.sha256:
            return data
        return without(data)


def claims_of(targets: Sequence[SinkTarget], keys: Collection[str]) -> dict[str, Claim]:
    """What the manifests in `targets` say of the jobs with `keys`; one that can be read back is
    preferred. Blocks. A sink that cannot be read says nothing."""
    found: dict[str, Claim] = {}
    by_id = {key[:_ID]: key for key in keys}
    for target in targets:
        for record in _records(target):
            # a retry stands for the job whose place it has taken as well
            for key in (_key(record, by_id), _replaced(record)):
                if key in keys and (key not in found or not found[key].path):
                    found[key] = _claim(key, record, target)
    return found


def _key(record: Mapping[str, Any], by_id: Mapping[str, str]) -> str:
    """Of the job that the record calls done; empty where it calls none done."""
    key, job = record.get("key"), record.get("job")
    if record.get("status") != "done" or not _is_digest(record.get("sha256") or "0" * 64):
        return ""
    if isinstance(key, str):
        return key
    return by_id.get(job, "") if isinstance(job, str) else ""


def _replaced(record: Mapping[str, Any]) -> str:
    """The job in whose place the record's job was made; empty where there is none."""
    found = record.get("instead_of")
    return str(found) if record.get("status") == "done" and _is_digest(found) else ""


def _records(target: SinkTarget) -> Iterator[Mapping[str, Any]]:
    sink = target.sink
    try:
        if isinstance(sink, HasRecords):
            yield from sink.records()
        elif isinstance(sink, HasFiles):
            yield from manifest_records(sink.read(MANIFEST, MOST_MANIFEST))
    except FAULTS:
        return


def _claim(key: str, record: Mapping[str, Any], target: SinkTarget) -> Claim:
    sha256, path, request_id = (record.get(name) for name in ("sha256", "path", "request_id"))
    known = _is_digest(sha256)
    own = known and isinstance(path, str) and _has_result(record) and path.isprintable()
    return Claim(
        key=key,
        sha256=str(sha256) if known else "",
        path=str(path) if own else "",
        cost=_cost(record.get("cost")),
        request_id=request_id if isinstance(request_id, str) and len(request_id) < 200 else "",
        target=target,
    )


def _has_result(record: Mapping[str, Any]) -> bool:
    """Whether the file is the result itself, perhaps with more metadata."""
    copy = record.get("delivered")
    return "delivered" not in record or (isinstance(copy, dict) and copy.get("metadata") is True)


def _cost(value: object) -> Micros | None:
    if type(value) not in (int, float) or not 0 <= value < 1e6:  # type: ignore[operator]  # a number
        return None
    return valid_cost(micros(str(value)))


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and _HEX.issuperset(value)
