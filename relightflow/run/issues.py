"""Gathers what did not work: many items with one cause are one line, with the first few named.

What the ledger knows is told from how jobs stand at the end, so that a doubt which was settled
meanwhile is not told; only what never reached the ledger is told from the stream of outcomes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from relightflow.deliver.manifest import status_of
from relightflow.errors import GRAVEST_FIRST, Exit
from relightflow.ledger.rows import JobState
from relightflow.model.attempt import State
from relightflow.model.check import CheckResult
from relightflow.model.evidence import Needs, Undecided
from relightflow.model.failure import EXIT_OF, Billed, Failure, FailureKind
from relightflow.model.image import Rejected
from relightflow.model.job import Output
from relightflow.model.money import Micros, dollars
from relightflow.model.outcome import Outcome
from relightflow.model.plan import Plan
from relightflow.model.summary import Issue
from relightflow.plan.outputs import firsts

FIRST = 5
"""Items named for one cause."""
MOST = 40
"""Causes told one by one; the rest share a line."""
_FLEETING = frozenset(
    {
        FailureKind.PENDING,
        FailureKind.REFUSED_SAFETY,
        FailureKind.ACCOUNT,
        FailureKind.UNSENT,
        FailureKind.UNAVAILABLE,
        FailureKind.BUG,
        FailureKind.DAMAGED,
    }
)
"""Kinds that leave the attempt as it was, so that the ledger does not hold the message."""
_NEXT = {
    FailureKind.BAD_RESULT: "It is not bought again automatically",
    FailureKind.PENDING: "Run again to collect it at no cost",
}
_CHECKED = (
    "It is delivered and not bought again automatically: 'relightflow check' says why, "
    "'relightflow run --retry-failed-checks' makes it again"
)
_CUT = (
    "The next run asks the provider what became of it; 'relightflow resolve' lists it "
    "and lets you decide"
)


def _settled_by(found: Undecided | None) -> str:
    """What becomes of an unknown outcome next."""
    if found is None:
        return "The next run asks the provider what became of it"
    why = f"It is not settled yet because {found.why}. "
    if found.needs is Needs.PERSON:
        return why + "'relightflow resolve' lets you decide"
    if found.needs is Needs.PURCHASE:
        return (
            why + "The next purchase settles it; 'relightflow resolve' lets you decide before that"
        )
    if found.needs is Needs.RUN:
        return why + "The next run settles it; it may send the call again, which is billed once"
    when = "soon"
    if found.at:
        when = datetime.fromtimestamp(found.at, UTC).strftime("from %Y-%m-%d %H:%M UTC on")
    return why + f"The records can settle it {when}: 'relightflow run --wait' waits for that"


def counted_jobs(plan: Plan) -> set[int] | None:
    """The jobs that a run of `plan` is about, each as a number; None: the job of every output, once.

    A run walks through the outputs of the whole plan: those that were not selected, and the second
    output of a job, count for nothing.
    """
    if plan.whole is None and plan.outputs_count == plan.jobs_count:
        return None
    return {int(output.job.id, 16) for output in firsts(plan)}


@dataclass(slots=True)
class IssueLog:
    _counted: set[int] | None = None
    """Jobs that are still to be counted, as `counted_jobs` gives them."""
    statuses: Counter[str] = field(default_factory=Counter)
    """How many jobs stand where (`manifest.STATUSES`)."""
    _found: dict[tuple[Exit, str], Issue] = field(default_factory=dict)
    _fleeting: dict[str, Failure] = field(default_factory=dict)
    """Job key → what a run could not finish and did not write down."""
    failed_checks: int = 0
    """Outputs that failed a check."""
    needs: set[Needs | None] = field(default_factory=set)
    """What the unknown outcomes wait for; None: the provider's records were not asked yet."""

    def outcome(self, outcome: Outcome) -> None:
        """Something that ended without an image."""
        failure = outcome.failure
        if failure and failure.kind in _FLEETING and len(self._fleeting) < 10_000:
            self._fleeting[outcome.job.key] = failure

    def job_state(self, output: Output, job_state: JobState | None) -> None:
        """How one output stands at the end of the run."""
        if self._counted is not None:
            number = int(output.job.id, 16)
            if number not in self._counted:
                return
            self._counted.remove(number)
        self.statuses[status_of(job_state)] += 1
        self._tell(output, job_state)

    def _tell(self, output: Output, job_state: JobState | None) -> None:
        fleeting = self._fleeting.get(output.job.key)
        stored = job_state is not None and job_state.state in (State.STORED, State.DONE)
        if stored and not (fleeting and fleeting.kind is FailureKind.DAMAGED):
            return
        if fleeting:
            self._add(EXIT_OF[fleeting.kind], _words(fleeting.message, fleeting.billed), output)
        if job_state is not None and job_state.state is State.UNKNOWN:  # whatever else it was
            words = _words(job_state.reason, job_state.billed, job_state.price)
            found = job_state.undecided
            self.needs.add(found.needs if found else None)
            self._add(Exit.UNKNOWN, f"{words}. {_settled_by(found)}", output)
        elif fleeting or job_state is None or job_state.state is State.READY:
            return
        elif job_state.state is State.FAILED:
            kind = job_state.kind or FailureKind.JOB_FAILED
            words = _words(job_state.reason, job_state.billed, job_state.cost)
            self._add(EXIT_OF[kind], ". ".join(filter(None, (words, _NEXT.get(kind)))), output)
        elif job_state.state is State.PAID_UNFETCHED:
            words = _words("the answer was cut short", job_state.billed, job_state.cost)
            self.needs.add(None)
            self._add(Exit.UNKNOWN, f"{words}. {_CUT}", output)
        else:
            self._add(Exit.EARLY, f"not collected yet. {_NEXT[FailureKind.PENDING]}", output)

    def checks(self, output: Output, found: Sequence[CheckResult]) -> None:
        """The verdicts on one output; only what the recipe calls a failure is an issue."""
        failed = [check.name for check in found if check.failed]
        self.failed_checks += bool(failed)
        for name in failed:
            self._add(Exit.JOBS_FAILED, f"failed the check '{name}' (billed). {_CHECKED}", output)

    def rejected(self, item: Rejected) -> None:
        code = Exit.REFUSED if item.refused else Exit.JOBS_FAILED
        hint = "" if item.refused else ". To leave such images out, set limits.on_reject: skip"
        self._put(code, f"image not used: {item.reason}{hint}", item.name)

    def issue(self, issue: Issue) -> None:
        self._found.setdefault((issue.exit, issue.message), issue)

    def all(self) -> tuple[Issue, ...]:
        """The gravest first."""
        return tuple(
            sorted(self._found.values(), key=lambda issue: GRAVEST_FIRST.index(issue.exit))
        )

    def _add(self, code: Exit, message: str, output: Output) -> None:
        self._put(code, message, describe(output))

    def _put(self, code: Exit, message: str, item: str) -> None:
        key = (code, message)
        if key not in self._found and len(self._found) >= MOST:
            key = (code, "other causes; the manifest lists each")
        old = self._found.get(key)
        if old is None:
            self._found[key] = Issue(code, key[1], (item,))
        else:
            items = old.items if len(old.items) >= FIRST else (*old.items, item)
            self._found[key] = Issue(code, key[1], items, old.count + 1)


def describe(output: Output) -> str:
    """An output in a few words: image, values, repeat."""
    values = ", ".join(str(value) for value in output.cell.values())
    repeat = f", repeat {output.repeat}" if output.repeat else ""
    return f"{output.image.name} ({values}{repeat})" if values or repeat else output.image.name


def _words(reason: str, billed: Billed, price: Micros | None = None) -> str:
    money = f", {dollars(price)} USD" if price and billed is not Billed.NO else ""
    said = {
        Billed.NO: "not billed",
        Billed.YES: f"billed{money}",
        Billed.UNKNOWN: f"may have been billed{money}",
    }[billed]
    return f"{reason or 'no reason was given'} ({said})"
