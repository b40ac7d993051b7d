"""What became of a job: the value that streams out of a run."""

from __future__ import annotations

from dataclasses import dataclass, field

from relightflow.model.failure import Failure
from relightflow.model.job import Job, Output
from relightflow.model.money import Micros
from relightflow.model.values import FrozenMap


@dataclass(frozen=True, slots=True)
class Result:
    """A finished image in the blob store."""

    sha256: str
    """Of the image's bytes."""
    size: int
    """Bytes."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    media_type: str
    """`image/jpeg`, `image/png` or `image/webp`."""
    request_id: str = ""
    """The provider's id of the call; empty where there was none."""
    cost: Micros = 0
    """What was charged, in micro-dollars."""
    details: FrozenMap = field(default_factory=FrozenMap)
    """What the adapter noted: seed, timings."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exactly one of `result` and `failure` is set."""

    job: Job
    """What was to be made."""
    attempt: int = 0
    """Id of the ledger's attempt; 0: none was made."""
    result: Result | None = None
    """The finished image; None where there is none."""
    failure: Failure | None = None
    """Why there is none."""
    output: Output | None = None
    """The first place of the plan that wants it; None: not of this plan (an earlier run's)."""
    attempts: int = 0
    """Calls that were made for it in this run; 0: it was there already."""
    seconds: float = 0.0
    """From the first submit to the bytes, on the monotonic clock."""
