"""Jobs that this state does not know and that were bought with another one: so says a manifest in a
sink of the recipe, or the ledger of a state folder nearby. A run does not buy them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from relightflow.deliver.claims import Claim, claims_of
from relightflow.deliver.target import SinkTarget
from relightflow.errors import RelightflowError
from relightflow.ledger.reader import Reader, open_reader
from relightflow.model.attempt import State
from relightflow.model.money import Micros, dollars
from relightflow.model.plan import Plan
from relightflow.plan.outputs import firsts
from relightflow.store.state_dir import NAME, StateDir
from relightflow.store.trust import check_state

_CHUNK = 512
_FOLDERS = 500
"""That are looked at for another state."""


@dataclass(frozen=True, slots=True)
class _BoughtElsewhere:
    """Jobs of a plan that the state does not know."""

    claims: dict[str, Claim]
    """Job key → what a sink's manifest says."""
    nearby: StateDir | None = None
    """A state folder that knows some of them as paid."""
    nearby_jobs: int = 0

    def __bool__(self) -> bool:
        return bool(self.claims or self.nearby)

    def message(self, plan: Plan) -> str:
        """What was found and what to do."""
        recipe = plan.recipe.path.name
        if self.nearby:
            return (
                f"{self.nearby_jobs:,} of these jobs were bought with the state "
                f"{self.nearby.root}, and "
                f"this run would use another one; nothing was sent. --state {self.nearby.root} "
                "uses it; "
                "--buy-again buys them again"
            )
        locations = sorted({claim.target.sink.location for claim in self.claims.values()})
        return (
            f"{len(self.claims):,} jobs are done according to the manifest in {locations[0]}, but "
            f"are not recorded in this state ({dollars(self.price)} USD); nothing was sent. "
            f"'relightflow adopt {recipe}' adopts the files as results and buys nothing; "
            "--buy-again buys them again"
        )

    @property
    def price(self) -> Micros:
        """Of what the manifests claim, as they say."""
        return sum(claim.cost or 0 for claim in self.claims.values())


NOWHERE = _BoughtElsewhere({})


def bought_elsewhere(
    plan: Plan, reader: Reader, targets: Sequence[SinkTarget], state_dir: StateDir
) -> _BoughtElsewhere:
    """Look for the plan's unknown jobs in manifests and, where this state has bought nothing yet, in the
    states nearby. Blocks, reads only. Free and rehearsed jobs are nobody's loss."""
    if plan.recipe.rehearsed or (plan.price and plan.price.free):
        return NOWHERE
    keys = set(_unknown(plan, reader))
    if not keys:
        return NOWHERE
    claims = claims_of(targets, keys)
    if not claims and not reader.attempt_names(counted=True):
        for other in _states_nearby(plan.recipe.folder, state_dir):
            known = _paid(other, keys)
            if known:
                return _BoughtElsewhere({}, other, known)
    return _BoughtElsewhere(claims)


def _unknown(plan: Plan, reader: Reader) -> Iterator[str]:
    """Keys of the jobs that cost something and that were never bought with this state, tried or not."""
    free = plan.recipe.free_models
    jobs = (o.job for o in firsts(plan) if (o.job.backend, o.job.model) not in free)
    while chunk := [job.key for job in islice(jobs, _CHUNK)]:
        known = reader.bought_jobs(chunk)
        yield from (key for key in chunk if key not in known)


def _states_nearby(folder: Path, own: StateDir) -> Iterator[StateDir]:
    """Of the folders in the recipe's own: a recipe that was moved up. (One that was moved down finds
    its state above; folders beside it are other projects.)"""
    try:
        inside = sorted(islice(folder.iterdir(), _FOLDERS))
    except OSError:
        return
    for candidate in inside:
        found = StateDir(candidate / NAME)
        if found.root != own.root and found.ledger.is_file():
            yield found


def _paid(other: StateDir, keys: Collection[str]) -> int:
    """How many of the jobs the state has bought; 0 where it may not or cannot be read."""
    paid = 0
    try:
        check_state(other.root, named=False)
        with open_reader(other.ledger) as reader:
            left = iter(keys)
            while chunk := list(islice(left, _CHUNK)):
                states = reader.job_states(chunk).values()
                paid += sum(s.state not in (State.READY, State.FAILED) for s in states)
    except (RelightflowError, OSError):
        return 0
    return paid
