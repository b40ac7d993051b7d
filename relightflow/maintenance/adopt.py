"""Takes over the files that a sink's manifest calls done as results of this state: nothing is bought,
and they count at the price that the manifest tells."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from relightflow.deliver.claims import Claim
from relightflow.deliver.target import FAULTS, SinkTarget
from relightflow.errors import Exit
from relightflow.images import BadImage, probe
from relightflow.ledger.ledger import DuplicateAttempt
from relightflow.ledger.reader import open_reader
from relightflow.ledger.rows import Restored
from relightflow.model.attempt import State
from relightflow.model.failure import Billed
from relightflow.model.job import Job
from relightflow.model.money import Micros
from relightflow.model.outcome import Result
from relightflow.model.plan import Plan
from relightflow.model.values import FrozenMap
from relightflow.plan.outputs import firsts
from relightflow.run.elsewhere import bought_elsewhere
from relightflow.run.limits.spend import identity
from relightflow.run.opening import OpenState, open_state
from relightflow.store.index_entry import attempt_facts, job_facts, result_facts
from relightflow.store.state_dir import StateDir

ORIGIN = "adopted"
"""`details.origin` of a result that was bought with another state."""


@dataclass(frozen=True, slots=True)
class Adopted:
    results: int
    price: Micros
    """What they cost, as the manifest says."""
    left: tuple[str, ...]
    """Job keys that the manifest calls done and whose file is missing, changed or only a copy in another
    format."""

    @property
    def exit(self) -> Exit:
        return Exit.REFUSED if self.left else Exit.OK


async def adopt(plan: Plan, targets: Sequence[SinkTarget], state_dir: StateDir) -> Adopted:
    """Take over what fits. Reads files and writes the state; sends nothing.

    Raises EarlyStop where a run holds the lock, StorageError.
    """
    run_id = time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()) + secrets.token_hex(3)
    results, price, left = 0, 0, []
    with open_state(state_dir, f"relightflow adopt, process {os.getpid()},") as state:
        with open_reader(state_dir.ledger) as reader:
            claims = bought_elsewhere(plan, reader, targets, state_dir).claims
        if claims:
            await state.ledger.run_started(run_id, *identity(plan.recipe))
        for job in (output.job for output in firsts(plan)):
            claim = claims.get(job.key)
            if claim is None:
                continue
            cost = await _adopt(plan, job, claim, state, run_id)
            if cost is None:
                left.append(job.key)
            else:
                results, price = results + 1, price + cost
        if claims:
            await state.ledger.run_ended(run_id, Exit.OK)
    return Adopted(results, price, tuple(left))


async def _adopt(
    plan: Plan, job: Job, claim: Claim, state: OpenState, run_id: str
) -> Micros | None:
    """What it cost; None where its bytes are not there."""
    try:
        data = claim.read()
        image = probe(data or b"")
    except (BadImage, *((FAULTS,))):
        return None
    if data is None or hashlib.sha256(data).hexdigest() != claim.sha256:
        return None
    listed = plan.recipe.spec_of(job.backend, job.model).model.price
    highest = listed.high if listed else 0
    cost = highest if claim.cost is None else max(claim.cost, 0)
    uuid = uuid4().hex
    details = FrozenMap({"origin": ORIGIN})
    result = Result(
        claim.sha256, len(data), image.width, image.height, image.media_type,
        claim.request_id, cost, details,
    )  # fmt: skip
    price = max(cost, highest)
    facts = {**job_facts(job, price), **attempt_facts(uuid, run_id, plan.recipe.name)}
    label = {**facts, **result_facts(result, cost), "billed": Billed.YES, "at": time.time()}
    await state.blobs.put(data, label)
    row = Restored(
        job_key=job.key, run_id=run_id, state=State.STORED, billed=Billed.YES,
        backend=job.backend, model=job.model, image_sha256=job.image.sha256,
        parameters=job.parameters, repeat=job.repeat, price=price, uuid=uuid,
        blob=claim.sha256, **result_facts(result, cost),
    )  # fmt: skip
    try:
        await state.ledger.restore(row)
    except DuplicateAttempt:
        return None
    return cost
