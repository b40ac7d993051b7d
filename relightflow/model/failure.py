"""What went wrong with one call, in the words the retry rules decide by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from relightflow.errors import Exit
from relightflow.model.money import Micros


class Billed(StrEnum):
    NO = "no"
    """Certainly not charged, on the provider's own word."""
    YES = "yes"
    """Charged."""
    UNKNOWN = "unknown"
    """May have been charged."""


class FailureKind(StrEnum):
    """What the provider, the network or our own checks said; each maps to one rule of retrying."""

    UNSENT = "unsent"
    """Certainly not sent whole (name lookup, connect, TLS, reset before the body ended): up to 5 tries."""
    UNAVAILABLE = "unavailable"
    """An answer that is documented as unbilled and passing (500, 502, 504 in the gateway's JSON): 2 retries."""
    RATE_LIMITED = "rate-limited"
    """429: everyone waits; never counted as a try."""
    REFUSED_CELL = "refused-cell"
    """The parameters are refused: this cell fails for every image and repeat, other cells do not."""
    REFUSED_MODEL = "refused-model"
    """No such model, retired, wrong verb: nothing more is sent to this model."""
    ACCOUNT = "account"
    """Key, permission, credits, spend limit: no more submits, collect what is accepted, exit 4."""
    JOB_FAILED = "job-failed"
    """The provider ran it and failed, unbilled."""
    BAD_IMAGE = "bad-image"
    """The input cannot be read, changed after it was planned, or is refused as an image; unbilled."""
    BAD_RESULT = "bad-result"
    """Paid, but the result is not a supported image; the bytes are set aside."""
    UNKNOWN = "unknown"
    """Sent completely, without an answer that tells the outcome: held, never repeated automatically."""
    PENDING = "pending"
    """Accepted or paid, and collecting did not succeed this time; the next run collects."""
    EXPIRED = "expired"
    """Accepted, and the provider no longer knows the request: look up its history, else unknown."""
    REFUSED_SAFETY = "refused-safety"
    """A safety rule said no (redirect with the key, foreign output host): exit 9."""
    TOO_LARGE = "too-large"
    """An answer over its cap, or a compressed bomb; exit 8, nothing of it is kept."""
    DAMAGED = "damaged"
    """A stored result is lost or has a flipped bit, and could not be fetched again."""
    BUG = "bug"
    """An exception that is nobody's answer; the attempt stays as it is in the ledger."""


EXIT_OF: dict[FailureKind, Exit] = {
    FailureKind.UNSENT: Exit.EARLY,
    FailureKind.UNAVAILABLE: Exit.JOBS_FAILED,
    FailureKind.RATE_LIMITED: Exit.EARLY,
    FailureKind.REFUSED_CELL: Exit.JOBS_FAILED,
    FailureKind.REFUSED_MODEL: Exit.JOBS_FAILED,
    FailureKind.ACCOUNT: Exit.ACCOUNT,
    FailureKind.JOB_FAILED: Exit.JOBS_FAILED,
    FailureKind.BAD_IMAGE: Exit.JOBS_FAILED,
    FailureKind.BAD_RESULT: Exit.JOBS_FAILED,
    FailureKind.UNKNOWN: Exit.UNKNOWN,
    FailureKind.PENDING: Exit.EARLY,
    FailureKind.EXPIRED: Exit.UNKNOWN,
    FailureKind.REFUSED_SAFETY: Exit.REFUSED,
    FailureKind.TOO_LARGE: Exit.DAMAGED,
    FailureKind.DAMAGED: Exit.DAMAGED,
    FailureKind.BUG: Exit.JOBS_FAILED,
}
"""The exit code that a job's failure asks for; the gravest of all jobs wins."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed try, as a value. `message` is for people: what happened and what to do next."""

    kind: FailureKind
    """Which rule of retrying applies."""
    message: str
    """What happened and what to do next, for people; free of secrets."""
    billed: Billed = Billed.NO
    """Whether the call was charged."""
    status: int | None = None
    """HTTP status, where there was one."""
    retry_after: float | None = None
    """Seconds from now, already freed of clock skew; None: the provider did not say."""
    cost: Micros | None = None
    """What was charged, where the answer said so."""
    request_id: str = ""
    """The provider's id, where there was one."""
    kept: bytes = b""
    """Bytes that were paid for and are no image: stored aside."""
    trace: str = ""
    """Of a bug: the traceback, free of secrets. Goes into the run's events."""


class CallFailed(Exception):
    """How an adapter ends a call that gave no step. Carries the failure; the engine decides."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.message)

    def __reduce__(self) -> tuple[type[CallFailed], tuple[Failure]]:
        return CallFailed, (self.failure,)
