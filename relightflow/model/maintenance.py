"""What the commands between runs find out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from relightflow.errors import Exit, gravest
from relightflow.model.attempt import IN_DOUBT, Attempt, State
from relightflow.model.evidence import Needs, undecided
from relightflow.model.money import Micros


@dataclass(frozen=True, slots=True)
class Verification:
    """Every stored byte and every delivered file, looked at."""

    blobs: int
    damaged: tuple[str, ...]
    """sha256 of blobs whose bytes no longer match; they were put aside."""
    missing: tuple[str, ...]
    """sha256 of blobs that the ledger relies on and that are gone."""
    files: int
    edited: tuple[str, ...]
    """Delivered files that somebody changed."""
    gone: tuple[str, ...]
    """Delivered files that are no longer there; the next run delivers them again."""
    shared: int = 0
    """Results in the shared store that were looked at."""
    shared_damaged: tuple[str, ...] = ()
    """Job keys whose entry or bytes there are damaged or gone; they are not adopted by anybody."""

    @property
    def exit(self) -> Exit:
        if self.damaged or self.missing or self.shared_damaged:
            return Exit.DAMAGED
        return Exit.JOBS_FAILED if self.edited or self.gone else Exit.OK


@dataclass(frozen=True, slots=True)
class ManifestCheck:
    """A manifest, and the files beside it."""

    files: int
    """That it calls done."""
    changed: tuple[str, ...]
    """Files whose bytes are not those that the manifest tells of."""
    gone: tuple[str, ...]

    @property
    def exit(self) -> Exit:
        return Exit.JOBS_FAILED if self.changed or self.gone else Exit.OK


@dataclass(frozen=True, slots=True)
class Garbage:
    """Unreferenced results and old runs."""

    finished: tuple[Attempt, ...]
    """Finished jobs that nobody asked to keep: if they are wanted again, they are bought again."""
    blobs: tuple[str, ...]
    """sha256 of results that go with them, and of those that no job has."""
    size: int
    """Bytes of the blobs."""
    runs: tuple[str, ...]
    """Ids of runs whose manifests and events are old."""
    shared: tuple[str, ...] = ()
    """Paths in the shared store."""
    kept_paid: tuple[Attempt, ...] = ()
    """Finished jobs that nobody asked to keep and that stay, because they cost money."""

    @property
    def price(self) -> Micros:
        """Of the finished jobs, were they bought again."""
        return _price_of(self.finished)

    @property
    def kept_price(self) -> Micros:
        """Of those that stay because they cost money."""
        return _price_of(self.kept_paid)


def _price_of(attempts: tuple[Attempt, ...]) -> Micros:
    return sum(a.price if a.cost is None else a.cost for a in attempts)


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Delivered files that a recipe does not describe any more. Each is a sink's location and a path."""

    removable: tuple[tuple[str, str], ...]
    """As they were delivered, and their results are stored, so that a run can deliver them again."""
    edited: tuple[tuple[str, str], ...] = ()
    """Somebody changed them: they stay."""
    only_copies: tuple[tuple[str, str], ...] = ()
    """Their result is not in the store any more: they stay."""
    fixed: tuple[str, ...] = ()
    """Locations of sinks that cannot take files away."""


class Decision(StrEnum):
    """A person's word on an attempt that nothing else can settle."""

    RESUBMIT = "resubmit"
    """Buy it again, knowing that it may have been billed already."""
    ASSUME_LOST = "assume-lost"
    """Give the image up and count its price as spent; it is not bought again."""


def settles_itself(attempt: Attempt) -> bool:
    """Whether the provider's records or the next run will settle it, without another purchase."""
    found = undecided(attempt.details) if attempt.state is State.UNKNOWN else None
    return found is not None and found.needs in (Needs.TIME, Needs.RUN)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of the held attempts."""

    held: tuple[Attempt, ...]
    """Those that still wait for a decision: unknown, or paid without an image."""
    decided: tuple[Attempt, ...] = ()
    over_cap: tuple[Attempt, ...] = ()
    """Not resubmitted, because the cap did not hold them."""
    left_to_records: tuple[Attempt, ...] = ()
    """Not resubmitted, because the provider's records will settle them."""
    adopted: int = 0
    """Settled by the provider's records: the call was taken, and is collected by the next run."""
    released: int = 0
    """Settled by the provider's records: nothing was taken or billed."""

    @property
    def by_itself(self) -> tuple[Attempt, ...]:
        """Held attempts that nobody need decide about: the provider's records will."""
        return tuple(attempt for attempt in self.held if settles_itself(attempt))

    @property
    def waiting(self) -> tuple[Attempt, ...]:
        """All others."""
        return tuple(attempt for attempt in self.held if not settles_itself(attempt))

    @property
    def exit(self) -> Exit:
        if self.over_cap:
            return Exit.BUDGET
        unknown = any(attempt.state in IN_DOUBT for attempt in self.held)
        return Exit.UNKNOWN if unknown else Exit.OK

    @property
    def price(self) -> Micros:
        """Of those that still wait, at most."""
        return sum(attempt.price for attempt in self.held)


class Difference(StrEnum):
    NOT_BILLED = "not-billed"
    """The ledger says billed, the provider's records do not."""
    COST_DIFFERS = "cost-differs"


@dataclass(frozen=True, slots=True)
class BilledRequest:
    """One request on the provider's bill; the rows of its outputs are added up."""

    request_id: str
    model: str
    cost: Micros
    created: float
    """Unix seconds, by the provider's clock."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between the ledger and the provider's bill."""

    kind: Difference
    request_id: str
    model: str
    ours: Micros | None
    theirs: Micros | None
    when: float
    """Unix seconds, the provider's if it has the row."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    backends: tuple[str, ...]
    """Whose bills were compared."""
    since: float
    until: float
    ours: tuple[BilledRequest, ...]
    """Requests of this ledger's calls that the provider billed in the period."""
    others: tuple[BilledRequest, ...]
    """Billed requests that this ledger has never heard of: those of other machines, states and
    programs that use the account. No difference: nobody expects them here."""
    recorded: Micros
    """Billed in the period, says the ledger."""
    findings: tuple[Finding, ...]
    resolution: Resolution

    @property
    def exit(self) -> Exit:
        differs = Exit.JOBS_FAILED if self.findings else Exit.OK
        return gravest((self.resolution.exit, differs))


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A ledger recreated from the blob store."""

    stored: int
    """Images found again."""
    open: int
    """Calls that were under way: collected or looked up by the next run."""
    failed: int
    lost: int
    """Index entries whose blob is gone or damaged; held, not bought again by themselves."""
    nonsense: int = 0
    """Damaged lines of the index, which were passed over."""
