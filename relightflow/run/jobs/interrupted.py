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
from relightflow.store import blobs
from relightflow.store.index_entry import read_cost, read_result


async def settle_interrupted(ledger: Ledger, store: Path, backend: str) -> Sequence[Attempt]:
    """`store`: the blob store's folder. To be called while no call is in flight.

    Gives the attempts that nothing is known of."""
    with open_reader(ledger.path) as reader:
        left = {
            attempt.job_key: attempt
            for attempt in reader.open_attempts(backend)
            if attempt.state is State.INTENT
        }
    if not left:
        return ()
    for key, entry in (await asyncio.to_thread(_stored, store, left)).items():
        attempt = left[key]
        cost = 0 if attempt.price == 0 else read_cost(entry)
        result = read_result(entry, attempt.price if cost is None else cost)
        assert result  # `_stored` gives sound entries only
        await ledger.stored(attempt.id, result, cost)
    return await ledger.interrupted_intents(backend)


def _stored(store: Path, keys: Collection[str]) -> dict[str, dict[str, Any]]:
    """Job key → what the index says of its image, where that is whole."""
    labels = {
        entry["key"]: entry
        for entry in blobs.index(store)
        if entry.get("key") in keys and not entry.get("aside") and read_result(entry, 0)
    }
    return {key: entry for key, entry in labels.items() if _whole(store, entry["sha256"])}


def _whole(store: Path, sha256: str) -> bool:
    try:
        blobs.read(store, sha256)
    except DamagedError:
        return False
    return True
