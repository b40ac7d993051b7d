"""What a run came to: what the summary.json, the last lines and the exit code are made from."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.errors import Exit, gravest
from relightflow.model.money import Micros


@dataclass(frozen=True, slots=True)
class Counts:
    jobs: int
    """Distinct jobs of the plan."""
    made: int
    """Bought, or made for free, in this run."""
    reused: int
    """In place before this run."""
    failed: int
    unknown: int
    pending: int
    """Accepted or paid, not fetched yet; the next run collects them."""
    not_started: int
    rejected: int
    """Images that could not be used."""
    delivered: int
    """Files that sinks wrote in this run."""
    kept_edits: int
    """Output files that somebody edited and that were left as they are."""
    planned: int = 0
    """Distinct jobs of the whole recipe: more than `jobs` where a command selected some of them."""
    failed_checks: int = 0
    """Outputs whose result failed a check."""


@dataclass(frozen=True, slots=True)
class Money:
    """In micro-dollars; unknown costs count as the highest price."""

    spent: Micros
    """By this run."""
    in_flight: Micros
    unknown: Micros
    cap: Micros | None
    """The limit that has the least left; None: there is none."""
    cap_source: str
    """Where it comes from, in words; empty without one."""
    balance: Micros | None = None
    window: float | None = None
    """Seconds, where the limit is a budget."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One line of the summary's list of what did not work; many items with one cause are one line."""

    exit: Exit
    """The exit code it asks for."""
    message: str
    """What happened, billed or not, and what to do next."""
    items: tuple[str, ...] = ()
    """The first few it happened to."""
    count: int = 1
    """How many items it happened to."""


@dataclass(frozen=True, slots=True)
class Summary:
    run_id: str
    """Names the run's folder in the state."""
    recipe: str
    """The recipe's name."""
    backend: str
    """The backend's name; of several all names, with commas."""
    model: str
    """The model's name, in the same way."""
    counts: Counts
    """Jobs and files by what became of them."""
    money: Money
    """What was spent, and what may have been."""
    issues: tuple[Issue, ...]
    """What did not work, the gravest first."""
    seconds: float
    """How long the run took."""
    manifest: str
    """Path of the run's manifest."""
    delivered_manifest: str = ""
    """The same beside the images; empty where no sink of single files has it."""
    locations: tuple[str, ...] = ()
    """Where the images are."""
    calls: int = 0
    """Billable calls made."""
    retries: int = 0
    """Calls that were repeated after a certainly unbilled failure."""
    rehearsed: bool = False
    """A stand-in took the provider's place: nothing was bought."""
    notices: tuple[str, ...] = ()
    """Things worth saying once: a plugin left out, an upload that cannot be revoked."""
    passed_over: tuple[tuple[str, int], ...] = ()
    """What sources left alone beside the images: kinds of files and how many."""
    plan_sha256: str = ""
    """Of the plan file that was applied; empty: none."""
    next_command: str = ""
    """Command to continue with; empty if nothing is left to do."""
    shard: str = ""
    """`2/5`: the run was for this shard of the plan; empty: for all of it."""

    @property
    def exit(self) -> Exit:
        """The exit code of the gravest issue; 0 without one."""
        return gravest(issue.exit for issue in self.issues)
