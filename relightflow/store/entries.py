"""JSON objects in a shared store, each about one job.

Nothing is believed: an entry counts only if it is of our format and about the very job that is asked for.
Methods block, may be called from several threads, and raise ObjectFault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relightflow.core.redact import known
from relightflow.model.values import canonical_json
from relightflow.objects.bucket import Bucket
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.index_entry import decoded

FORMAT = 1
_MOST = 1 << 20
_JOB = ("key", "backend", "model", "image_sha256", "parameters", "repeat")


class DamagedEntry(Exception):
    """Something is there, and it is not what it should be."""


class Entries:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def of_job(self, path: str, job: Mapping[str, Any]) -> dict[str, Any] | None:
        """The entry at `path` if it is about this very `job` (its label)."""
        return _about(job, self.at(path))

    def must_be_of_job(self, path: str, job: Mapping[str, Any]) -> dict[str, Any] | None:
        """The same; None where there is none. Raises DamagedEntry where there is another."""
        try:
            entry = self._read(path)
        except ObjectFault as error:
            if error.reason is Reason.MISSING:
                return None
            raise
        found = _about(job, entry)
        if found is None:
            raise DamagedEntry(path)
        return found

    def at(self, path: str) -> dict[str, Any] | None:
        """The entry at `path`; None where there is none, or one that makes no sense."""
        try:
            return self._read(path)
        except ObjectFault as error:
            if error.reason is Reason.MISSING:
                return None
            raise

    def _read(self, path: str) -> dict[str, Any] | None:
        """None: it makes no sense. Raises ObjectFault; MISSING where there is none."""
        try:
            entry = decoded(self._bucket.get(path, most=_MOST))
        except ObjectFault as error:
            if error.reason is Reason.CHANGED:
                return None
            raise
        version = entry.get("format") if entry else None
        return entry if type(version) is int and version == FORMAT else None

    def put(self, path: str, entry: Mapping[str, Any], only_new: bool = False) -> None:
        """Raises ObjectFault; CHANGED where `only_new` and something is there."""
        text = known(canonical_json({**entry, "format": FORMAT}))
        self._bucket.put(path, text.encode("ascii"), "application/json", only_new=only_new)


def _about(job: Mapping[str, Any], entry: dict[str, Any] | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    same = canonical_json({name: entry.get(name) for name in _JOB})
    return entry if same == canonical_json({name: job[name] for name in _JOB}) else None
