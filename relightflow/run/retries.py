"""New results in the place of those that failed a check: a further repeat of the same cell.

A retry is decided by a person (`run --retry-failed-checks`) and bought like any other job. Once its
result is stored, the ledger notes that it has taken the place; until then the failed result keeps it.
A changed check changes nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from relightflow.ledger.reader import Reader
from relightflow.ledger.rows import JobState
from relightflow.model.check_report import CheckReport
from relightflow.model.job import Output
from relightflow.model.plan import Plan
from relightflow.plan.outputs import outputs

_CHUNK = 512

Lost = dict[str, tuple[Output, JobState | None]]
"""Key of a job whose place no retry has taken → the retry and how it stands."""


def with_failed_retried(plan: Plan, found: CheckReport) -> tuple[Plan, int]:
    """The plan with one more repeat in the place of each selected output that fails a check of severity
    `fail`, and how many those are. Blocks."""
    failed = {
        _first_key(item.output): item.output.job.repeat for item in found.outputs if item.failed
    }
    if not failed:
        return plan, 0
    chosen = {key for output in outputs(plan) if (key := _first_key(output)) in failed}
    more = {key: failed[key] + plan.repeat for key in chosen}
    return plan.with_retries({**plan.retries, **more}), len(more)


def lost_retries(plan: Plan, reader: Reader) -> Lost:
    """The retries of the plan that have no result. Blocks."""
    if not plan.retries:
        return {}
    return {
        output.instead_of.key: (output, state)
        for output, state in _states(outputs(plan.described), reader)
        if output.instead_of is not None and (state is None or state.result is None)
    }


def without(plan: Plan, lost: Lost) -> Plan:
    """The plan with the failed results back in the places that no retry has taken."""
    kept: Mapping[str, int] = {k: n for k, n in plan.retries.items() if k not in lost}
    return plan.with_retries(kept) if lost else plan


def _first_key(output: Output) -> str:
    return (output.instead_of or output.job).key


def _states(every: Iterable[Output], reader: Reader) -> Iterator[tuple[Output, JobState | None]]:
    retried = (output for output in every if output.instead_of is not None)
    while chunk := list(islice(retried, _CHUNK)):
        states = reader.job_states([output.job.key for output in chunk])
        for output in chunk:
            yield output, states.get(output.job.key)
