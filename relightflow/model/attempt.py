"""An attempt: one billable call for a job, and the states it may pass through."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from relightflow.model.evidence import moment
from relightflow.model.failure import Billed
from relightflow.model.money import Micros
from relightflow.model.step import EXPIRES
from relightflow.model.values import FrozenMap, Parameters


class State(StrEnum):
    """The life of a job, as docs/explanation/life-of-a-job.md draws it."""

    READY = "READY"
    """Nothing bought and nothing in flight: as a closed attempt's state, it ended unbilled."""
    INTENT = "INTENT"
    """Committed before the first byte leaves."""
    ACCEPTED = "ACCEPTED"
    RESULT_KNOWN = "RESULT_KNOWN"
    PAID_UNFETCHED = "PAID_UNFETCHED"
    STORED = "STORED"
    """The bytes are in the blob store, durable."""
    DONE = "DONE"
    """Stored, and every sink has had its copy once."""
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    """May have been billed; held until evidence or the user's word."""


LEGAL: dict[State, frozenset[State]] = {
    State.INTENT: frozenset(
        {
            State.READY,
            State.FAILED,
            State.ACCEPTED,
            State.RESULT_KNOWN,
            State.PAID_UNFETCHED,
            State.STORED,
            State.UNKNOWN,
        }
    ),
    State.ACCEPTED: frozenset({State.RESULT_KNOWN, State.STORED, State.FAILED, State.UNKNOWN}),
    State.RESULT_KNOWN: frozenset({State.STORED, State.FAILED, State.UNKNOWN}),
    State.PAID_UNFETCHED: frozenset(
        {State.RESULT_KNOWN, State.STORED, State.FAILED, State.UNKNOWN}
    ),
    State.STORED: frozenset({State.DONE, State.READY}),
    State.DONE: frozenset({State.READY}),
    State.FAILED: frozenset({State.READY}),
    State.UNKNOWN: frozenset({State.ACCEPTED, State.RESULT_KNOWN, State.READY, State.FAILED}),
    State.READY: frozenset(),
}
"""Every move the ledger lets an attempt make; its schema refuses all others.

Out of STORED and DONE only the user's word leads, for an image that is lost for good."""

OPEN = frozenset(
    {State.INTENT, State.ACCEPTED, State.RESULT_KNOWN, State.PAID_UNFETCHED, State.UNKNOWN}
)
"""States in which money is or may be in flight."""

IN_DOUBT = frozenset({State.UNKNOWN, State.PAID_UNFETCHED})
"""States that only the provider's records or a person's word may end without an image."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row of the ledger: one billable call."""

    id: int
    """Names it in the ledger, and in `Evidence`."""
    job_key: str
    """64 hex digits: the key of the job that it was made for."""
    run_id: str
    """The run that made it."""
    state: State
    """How far it came; `UNKNOWN` where its outcome is in doubt."""
    backend: str
    """The backend's name."""
    model: str
    """The model's name."""
    image_sha256: str
    """64 hex digits: of the input image's bytes."""
    parameters: Parameters
    """Exactly what the backend was asked for."""
    repeat: int
    """0-based."""
    price: Micros
    """The highest price of the call, reserved against the cap."""
    cost: Micros | None
    """What was really charged, once known."""
    billed: Billed
    """Whether it was charged, as far as is known."""
    request_id: str
    """The provider's id; empty where no answer gave one."""
    url: str
    """Of the result; a secret."""
    blob: str
    """sha256 of the result, once stored."""
    reason: str
    """Why it failed or is unknown, in words."""
    created: float
    """Unix seconds, for people and for the provider's history; never for deciding expiry."""
    updated: float
    """Unix seconds: when the row was last written."""
    details: FrozenMap = field(default_factory=FrozenMap)
    """What the backend noted: `intent_details` before the call, then each step's `details`."""
    uuid: str = ""
    """Its name in the blob store's index; empty for what relightflow 0.1.0 began."""

    @property
    def collect_by(self) -> float | None:
        """When the provider deletes a result that waits, Unix seconds by this machine's clock; None: nothing
        waits, or it lives for days."""
        waits = self.state in (State.ACCEPTED, State.RESULT_KNOWN)
        return moment(self.details.get(EXPIRES)) if waits else None
