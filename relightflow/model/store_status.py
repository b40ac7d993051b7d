"""What a shared store promises and holds, by machine and run."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.model.money import Micros


@dataclass(frozen=True, slots=True)
class RunShare:
    """One run's part in the store. Amounts in micro-dollars."""

    machine: str
    """The host's name; empty: an earlier version, which does not say."""
    run: str
    recipe: str
    calls: int = 0
    """That were billed."""
    paid: Micros = 0
    """As the provider reported it."""
    claims: int = 0
    """Jobs whose call is under way, or of which nothing was heard."""
    claimed: Micros = 0
    """At most."""
    reserved: Micros = 0
    """Set aside beside what it has paid and claimed."""
    last: float = 0.0
    """When it last made a call; Unix seconds by its clock."""


@dataclass(frozen=True, slots=True)
class StoreStatus:
    url: str
    id: str
    atomic: bool
    """Claims hold, and limits for all machines together."""
    pairs: int
    """Races that were run."""
    doubles: int
    """Races that both writers won."""
    results: int
    """Finished jobs."""
    runs: tuple[RunShare, ...]
    """The one that was active last comes first."""

    @property
    def total(self) -> RunShare:
        """Of all machines."""
        runs = self.runs
        return RunShare(
            "", "", "",
            sum(one.calls for one in runs), sum(one.paid for one in runs),
            sum(one.claims for one in runs), sum(one.claimed for one in runs),
            sum(one.reserved for one in runs), max((one.last for one in runs), default=0.0),
        )  # fmt: skip
