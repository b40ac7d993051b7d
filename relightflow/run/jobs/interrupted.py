"""What a process left in INTENT when it ended: adopted where its image is in the store, else unknown.

A backend that answers a submit with the image itself leaves a moment in which the bytes are durable
and the ledger does not know it yet. The store's index says whose they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from relightflow.errors import DamagedError
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import Attempt, State
from relightflow.model.money import valid_cost
from relightflow.model.outcome import Result
from relightflow.model.values import FrozenMap
from relightflow.store import blobs


async def settle_interrupted(
    ledger: Ledger, path: Path, store: Path, backend: str
) -> Sequence[Attempt]:
    """`path`: the ledger's; `store`: the blob store's. To be called while no call is in the air.

    Gives the attempts that nothing is known of."""
    with open_reader(path) as reader:
        left = {
            attempt.job_key: attempt
            for attempt in reader.open_attempts(backend)
            if attempt.state is State.INTENT
        }
    if not left:
        return ()
    for key, entry in (await asyncio.to_thread(_stored, store, left)).items():
        attempt = left[key]
        cost = 0 if attempt.price == 0 else valid_cost(entry.get("cost"))
        result = Result(
            entry["sha256"],
            entry["size"],
            entry["width"],
            entry["height"],
            entry["media_type"],
            entry.get("request_id", ""),
            attempt.price if cost is None else cost,
            FrozenMap(entry.get("details")),
        )
        await ledger.stored(attempt.id, result, cost)
    return await ledger.interrupted_intents(backend)


def _stored(store: Path, keys: Collection[str]) -> dict[str, dict[str, Any]]:
    """Job key → what the index says of its image, where that is whole."""
    labels = {
        entry["key"]: entry
        for entry in blobs.index(store)
        if entry.get("key") in keys and "width" in entry and not entry.get("aside")
    }
    return {key: entry for key, entry in labels.items() if _whole(store, entry["sha256"])}


def _whole(store: Path, sha256: str) -> bool:
    try:
        blobs.read(store, sha256)
    except DamagedError:
        return False
    return True
