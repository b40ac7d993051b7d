"""Documents of merge, prune and the check of a manifest say their kind, and all that was found."""

from __future__ import annotations

from relightflow.errors import Exit
from relightflow.model.maintenance import ManifestCheck, Unwanted
from relightflow.model.merged import DoublePurchase, Merged
from relightflow.model.plan import Shard
from relightflow.model.restoration import Restoration
from relightflow.report.json_maintenance import manifest_check, merged, unwanted


def test_a_merge_lists_shards_and_double_purchases() -> None:
    double = DoublePurchase("ab" * 32, 2, 100_000)
    shards = ((Shard(1, 2), "shards/1", Exit.INTERRUPTED),)
    document = merged(Merged(Restoration(results=3), shards, (Shard(2, 2),), (double,)))
    assert (document["kind"], document["missing"]) == ("merge", ["2/2"])
    assert document["shards"] == [{"shard": "1/2", "state": "shards/1", "exit": 130}]
    assert document["double_purchases"][0]["price_usd"] == 0.1
    assert document["exit"] == Exit.JOBS_FAILED


def test_prune_lists_places() -> None:
    document = unwanted(Unwanted((("/out", "a.png"),), edited=(("/out", "b.png"),)), deleted=True)
    assert (document["kind"], document["deleted"]) == ("prune", True)
    assert document["removable"] == [{"sink": "/out", "path": "a.png"}]
    assert document["edited"] == [{"sink": "/out", "path": "b.png"}]


def test_a_manifest_that_agrees_ends_with_0() -> None:
    assert manifest_check("m.jsonl", ManifestCheck(2, (), ()))["exit"] == 0
    assert manifest_check("m.jsonl", ManifestCheck(2, ("a",), ()))["exit"] == 1
