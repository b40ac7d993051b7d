"""The claims in a shared store, and a person's word on those whose owner is gone."""

from __future__ import annotations

from collections.abc import Sequence

from relightflow.errors import UsageError
from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.store.costs import StoreCharge
from relightflow.store.shared import SharedStore


def list_claims(store: SharedStore) -> tuple[JobClaim, ...]:
    """Every claim, the oldest first. Blocks; raises ObjectFault, StorageError where there is no store."""
    return tuple(sorted(store.claims.all(), key=lambda claim: (claim.at, claim.key)))


def release(store: SharedStore, jobs: Sequence[str]) -> tuple[JobClaim, ...]:
    """Take away the claims on the jobs whose keys begin with one of `jobs`: the next run buys them. Their
    highest price counts as spent, for they may have been billed. Blocks.

    Raises UsageError, before anything is changed, for one of `jobs` that nobody has claimed or whose call a
    run can collect; UsageError, with the claims before it released, for a claim that its owner has changed
    meanwhile; ObjectFault.
    """
    found = list_claims(store)
    chosen: dict[str, JobClaim] = {}
    for job in jobs:
        fitting = [claim for claim in found if job and claim.key.startswith(job)]
        if not fitting:
            raise UsageError(
                f"nobody has claimed a job '{job}' in {store}; nothing was changed. 'relightflow store "
                f"claims {store}' lists the claims"
            )
        chosen |= {claim.key: claim for claim in fitting}
    for claim in chosen.values():
        if claim.state is State.ACCEPTED:
            raise UsageError(
                f"the call for job {claim.key[:16]} was accepted by the provider (request "
                f"{claim.request_id}), so the next run of its recipe collects it and buys nothing; no claim "
                "was released"
            )
    for released, claim in enumerate(chosen.values()):
        if store.claims.at(claim.key) != claim:
            raise UsageError(
                f"the claim on job {claim.key[:16]} has changed since it was read, so its owner still runs; it was "
                f"not released, and {released} of the {len(chosen)} chosen claims were. 'relightflow store claims "
                f"{store}' lists the claims as they are now"
            )
        cost = claim.price if claim.cost is None else claim.cost
        store.costs.put(
            StoreCharge(
                claim.recipe,
                int(claim.at),
                claim.key,
                claim.attempt,
                cost,
                claim.price,
                claim.reservation,
                claim.run,
                claim.machine,
                claim.model,
            )
        )
        store.claims.delete(claim.key)
    return tuple(chosen.values())
