"""A claim in the shared store: one machine's word that it is about to buy a job, or has."""

from __future__ import annotations

from dataclasses import dataclass, field

from relightflow.model.attempt import State
from relightflow.model.money import Micros
from relightflow.model.values import FrozenMap


@dataclass(frozen=True, slots=True)
class JobClaim:
    """Whose the job is; what is not known is empty or 0."""

    key: str
    """The job's."""
    state: State
    """INTENT: about to be sent, or sent. ACCEPTED, UNKNOWN, FAILED (paid, no image): as its owner's ledger
    has it."""
    attempt: str
    """The attempt's name (32 hex digits); empty: relightflow 0.1."""
    run: str
    """The run that made it."""
    machine: str
    """The host's name."""
    at: float
    """Since when, in Unix seconds by the owner's clock."""
    price: Micros
    """The highest price of the call."""
    cost: Micros | None = None
    """What was charged, once that is known."""
    recipe: str = ""
    """Name of the recipe that it is bought for."""
    request_id: str = ""
    """The provider's, once it has answered."""
    reason: str = ""
    """Why its outcome is unknown, or why it failed."""
    reservation: str = ""
    """Under which it is bought (`Reservation.id`); empty: its run reserved nothing."""
    model: str = ""
    """Which one it is a call of (`model_id`)."""
    details: FrozenMap = field(default_factory=FrozenMap)
    """What the backend noted of the call, for the provider's records."""
