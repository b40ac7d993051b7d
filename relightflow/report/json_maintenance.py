"""What verify, gc, merge, prune and the check of a manifest found, as JSON documents; see `relightflow.report.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relightflow.model.maintenance import Garbage, ManifestCheck, Unwanted, Verification
from relightflow.model.merged import Merged
from relightflow.model.money import usd
from relightflow.report.json import VERSION, restored


def verification(path: str, found: Verification) -> dict[str, Any]:
    return {
        **_kind("verification"),
        "path": path,
        "exit": int(found.exit),
        "results": found.blobs,
        "damaged": list(found.damaged),
        "missing": list(found.missing),
        "files": found.files,
        "edited": list(found.edited),
        "gone": list(found.gone),
        "shared": found.shared,
        "shared_damaged": list(found.shared_damaged),
    }


def garbage(found: Garbage, deleted: bool) -> dict[str, Any]:
    return {
        **_kind("garbage"),
        "deleted": deleted,
        "finished": [a.job_key for a in found.finished],
        "price_usd": usd(found.price),
        "results": list(found.blobs),
        "bytes": found.size,
        "kept_paid": [a.job_key for a in found.kept_paid],
        "kept_price_usd": usd(found.kept_price),
        "runs": list(found.runs),
        "shared": list(found.shared),
    }


def manifest_check(path: str, found: ManifestCheck) -> dict[str, Any]:
    return {
        **_kind("manifest-check"),
        "path": path,
        "files": found.files,
        "changed": list(found.changed),
        "gone": list(found.gone),
        "exit": int(found.exit),
    }


def unwanted(found: Unwanted, deleted: bool) -> dict[str, Any]:
    def listed(places: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        return [{"sink": location, "path": path} for location, path in places]

    return {
        **_kind("prune"),
        "deleted": deleted,
        "removable": listed(found.removable),
        "edited": listed(found.edited),
        "only_copies": listed(found.only_copies),
        "fixed_sinks": list(found.fixed),
    }


def merged(found: Merged) -> dict[str, Any]:
    """What the shards of a plan came to, before their results are delivered."""
    return {
        **_kind("merge"),
        "added": restored(found.added),
        "shards": [
            {"shard": str(shard), "state": folder, "exit": int(code)}
            for shard, folder, code in found.shards
        ],
        "missing": [str(shard) for shard in found.missing],
        "double_purchases": [
            {"key": one.job_key, "calls": one.calls, "price_usd": usd(one.price)}
            for one in found.double
        ],
        "exit": int(found.exit),
    }


def _kind(name: str) -> dict[str, Any]:
    return {"kind": name, "version": VERSION}
