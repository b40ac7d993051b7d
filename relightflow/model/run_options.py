"""What the operator says on top of the recipe, for one run."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.errors import Exit
from relightflow.model.money import Micros
from relightflow.model.spending import Share, SpendLimit


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Trusted: from the command line and the environment, never from a recipe."""

    limits: tuple[SpendLimit, ...] = ()
    """All of them hold. Empty: no limit, which only a free backend may have."""
    shares: tuple[Share, ...] = ()
    """A shard's parts of what each backend of the recipe alone may cost, in their order. Empty: no shard."""
    price: Micros | None = None
    """Of one call, where the model's is unknown."""
    overwrite: bool = False
    """Replace output files that were edited."""
    buy_again: bool = False
    """Buy results again that another state has already bought, according to a manifest or a nearby state."""
    collect_only: bool = False
    """Submit nothing; fetch what earlier runs paid for."""
    missing: Exit = Exit.OK
    """With `collect_only`: what the run ends with, at least, where a job has no result."""
    stop_after: float | None = None
    """Seconds; then no new submit, so that what is in flight drains in time."""
    plan_sha256: str = ""
    """Of the plan file that the run applies, for the ledger; empty: none."""
    wait: bool = False
    """Wait until the provider's records have settled what they can settle."""
    executor: str = ""
    """Name of what does the work that may be repeated; nothing is bought through it. Empty: `local`."""
    scheduler: str = ""
    """Where that is, as `tcp://host:8786`; empty where it needs no address."""
