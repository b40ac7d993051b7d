"""Attempts that nothing settles by itself: listed with their price, and a person's word taken."""

from __future__ import annotations

from collections.abc import Iterable

from relightflow.errors import UsageError
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.rows import GIVEN_UP
from relightflow.model.attempt import IN_DOUBT, Attempt, State
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.maintenance import Decision, Resolution, settles_itself
from relightflow.model.money import Micros
from relightflow.model.values import FrozenMap
from relightflow.run.restoring import open_state_reader
from relightflow.store.blobs import size_of
from relightflow.store.state_dir import StateDir

_ABANDONED = "abandoned"
"""True in the details of an attempt that its owner gave up, whatever was known of it."""


def held_attempts(state_dir: StateDir, abandoned: bool = False) -> tuple[Attempt, ...]:
    """Unknown attempts, those that were paid without an image, and those whose image is lost.
    Oldest first; reads only. `abandoned`: also those whose image was given up."""
    with open_state_reader(state_dir) as seen:
        waiting = [a for a in seen.ledger.held_attempts() if abandoned or not _given_up(a)]
        lost = (a for a in seen.ledger.stored_attempts() if size_of(state_dir.blobs, a.blob) < 0)
        return tuple(sorted((*waiting, *lost), key=lambda attempt: attempt.id))


def _given_up(attempt: Attempt) -> bool:
    marks = (_ABANDONED, GIVEN_UP)
    return attempt.state is State.FAILED and any(attempt.details.get(m) is True for m in marks)


def decide(
    state_dir: StateDir,
    ledger: Ledger,
    decision: Decision,
    cap: Micros | None,
    jobs: Iterable[str] = (),
) -> Resolution:
    """Carry out `decision` for all held attempts, or for those whose job key begins with one of
    `jobs`. `cap`: of the prices that are resubmitted in all. Blocks; needs the state opened.

    What the provider's records will settle with time, and what was given up, is not bought again
    unless `jobs` names it.

    Raises UsageError, before anything is decided, for one of `jobs` that is none of them."""
    chosen = tuple(jobs)
    waiting = held_attempts(state_dir, abandoned=bool(chosen))
    for job in chosen:
        if not job or not any(a.job_key.startswith(job) for a in waiting):
            raise UsageError(
                f"no call of job '{job}' is waiting for a decision; nothing was changed. "
                "'relightflow resolve' lists the calls that are"
            )
    wanted = [a for a in waiting if not chosen or a.job_key.startswith(chosen)]
    decided: list[Attempt] = []
    over: list[Attempt] = []
    by_records: list[Attempt] = []
    left = cap
    for attempt in wanted:
        if decision is Decision.RESUBMIT and not chosen and settles_itself(attempt):
            by_records.append(attempt)
            continue
        if decision is Decision.ASSUME_LOST:
            if attempt.state not in (*IN_DOUBT, State.FAILED):
                continue  # its image is lost here, and a run gets it back or says that it cannot
            marks = {_ABANDONED: True}
            if attempt.state is State.FAILED:  # its money is booked already
                ledger.note_now(attempt.id, FrozenMap(marks))
            else:
                if attempt.billed is Billed.UNKNOWN:
                    marks[GIVEN_UP] = True
                ledger.close_attempt_now(attempt.id, State.FAILED, _lost(attempt), FrozenMap(marks))
        elif left is None or attempt.price <= left:
            left = None if left is None else left - attempt.price
            if attempt.state is State.PAID_UNFETCHED:  # by way of UNKNOWN, as the ledger wants it
                ledger.close_attempt_now(attempt.id, State.UNKNOWN, _again(attempt))
            ledger.close_attempt_now(attempt.id, State.READY, _again(attempt))
        else:
            over.append(attempt)
            continue
        decided.append(attempt)
    return Resolution(
        held_attempts(state_dir), tuple(decided), tuple(over), left_to_records=tuple(by_records)
    )


def _lost(attempt: Attempt) -> Failure:
    if attempt.billed is Billed.YES and attempt.cost is not None:
        why, cost = "abandoned by the operator; it was billed", attempt.cost
    else:
        why, cost = (
            "abandoned by the operator; its highest price counts as spent",
            attempt.price,
        )
    return Failure(FailureKind.BAD_RESULT, why, Billed.YES, cost=cost)


def _again(attempt: Attempt) -> Failure:
    why = "to be bought again, as decided by the operator"
    return Failure(FailureKind.UNKNOWN, why, attempt.billed, cost=attempt.cost)
