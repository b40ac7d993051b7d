"""What the shards of a plan came to, once they are united."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.errors import Exit, gravest
from relightflow.model.money import Micros
from relightflow.model.plan import Shard
from relightflow.model.restoration import Restoration


@dataclass(frozen=True, slots=True)
class DoublePurchase:
    """A job that was bought by more than one shard, or that the merged state had bought already."""

    job_key: str
    calls: int
    price: Micros
    """Of all calls together, as far as it is known; the highest price where it is not."""


@dataclass(frozen=True, slots=True)
class Merged:
    added: Restoration
    """What the merged state did not know."""
    shards: tuple[tuple[Shard, str, Exit], ...]
    """Each with its folder and how its last run ended."""
    missing: tuple[Shard, ...]
    double: tuple[DoublePurchase, ...]

    @property
    def exit(self) -> Exit:
        """The gravest of the shards' codes, 75 for a missing one, and 1 for a double purchase. A shard
        that was interrupted can be resumed, so it counts as 75."""
        codes = {code for _, _, code in self.shards}
        if self.missing or codes & {Exit.INTERRUPTED, Exit.TERMINATED}:
            codes = codes - {Exit.INTERRUPTED, Exit.TERMINATED} | {Exit.EARLY}
        if self.double:
            codes.add(Exit.JOBS_FAILED)
        return gravest(codes)
