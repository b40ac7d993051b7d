"""How far one billable call has come: what a backend hands back and the ledger makes durable.

A backend's `submit` gives the first step and `collect` the next one, until `Completed`. Every step
but the last can be written down, and `collect` goes on from it in another process, days later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeAlias

from relightflow.model.money import Micros
from relightflow.model.values import FrozenMap

EXPIRES = "expires"
"""Where a step's details hold when the provider deletes its result, in Unix seconds by this machine's clock:
for people, who must run again before that. Missing where results live for days."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the job and works on it."""

    request_id: str
    """The provider's id, by which another process can ask for it."""
    details: FrozenMap = field(default_factory=FrozenMap)
    """What the adapter wants to find again, JSON only (say, which protocol it spoke)."""


@dataclass(frozen=True, slots=True)
class ResultKnown:
    """The job is done and billed; the image waits at a URL."""

    request_id: str
    """The provider's id."""
    url: str
    """A secret: whoever has it has the image."""
    cost: Micros | None = None
    """None: the provider did not say, so the highest price counts."""
    details: FrozenMap = field(default_factory=FrozenMap)
    """What the adapter wants to find again, JSON only."""


@dataclass(frozen=True, slots=True)
class PaidUnfetched:
    """The answer has begun, so it is billed; its body has not been read yet."""

    request_id: str
    """The provider's id; empty where it gave none."""
    cost: Micros | None = None
    """Micro-dollars; None: the provider did not say."""
    details: FrozenMap = field(default_factory=FrozenMap)
    """What the adapter wants to find again, JSON only."""
    body: AsyncIterator[bytes] | None = field(default=None, compare=False, repr=False)
    """The open answer. None in another process: the bytes must come from elsewhere, or are lost."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The image is here."""

    data: bytes = field(repr=False)
    """The bytes of a JPEG, PNG or WebP file."""
    cost: Micros | None = None
    """Micro-dollars; None: the provider did not say, so the highest price counts."""
    request_id: str = ""
    """The provider's id; empty where it gave none."""
    details: FrozenMap = field(default_factory=FrozenMap)
    """Seed, timings and such: kept in the ledger, shown in the summary."""


Step: TypeAlias = Accepted | ResultKnown | PaidUnfetched | Completed

FOLLOWS: dict[type, tuple[type, ...]] = {
    Accepted: (ResultKnown, Completed),
    ResultKnown: (Completed,),
    PaidUnfetched: (ResultKnown, Completed),
}
"""What `collect` may give after a step. A call that is still running is no step of its own."""
